using Quilt.Formats;
using Quilt.Formats.Checkpoints;

namespace Quilt.Quantizer.Repair;

/// <summary>A file of weights that is the same in two folders.</summary>
internal static class SameFile
{
    private const int PieceBytes = 1 << 20;

    /// <summary>
    /// Puts a file into a folder: as a second name of the same bytes; where the file system has none, as a link to its full path, with a warning; or
    /// as a copy.
    /// </summary>
    /// <exception cref="BadInputException">Neither kind of link can be made.</exception>
    public static void Place(string file, string folder, bool copy, WarningList warnings, CancellationToken cancel)
    {
        var target = Path.Combine(folder, Path.GetFileName(file));
        if (copy) Copy(file, target, cancel);
        else if (!HardLink.TryCreate(file, target)) LinkPath(file, target, warnings);
    }

    // By its full path, so that it survives moving the folder that it is in.
    private static void LinkPath(string file, string target, WarningList warnings)
    {
        try
        {
            File.CreateSymbolicLink(target, File.ResolveLinkTarget(file, returnFinalTarget: true)?.FullName ?? Path.GetFullPath(file));
            warnings.Add(Path.GetFileName(file), "is linked by its path, as it lies on another disk: it must stay where it is; --copy copies it");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or PlatformNotSupportedException)
        {
            throw new BadInputException(file, null, $"cannot be linked from {Path.GetDirectoryName(target)} ({e.Message}); --copy copies it", e);
        }
    }

    private static void Copy(string file, string target, CancellationToken cancel)
    {
        var piece = new byte[PieceBytes];
        using var from = File.OpenRead(file);
        using var to = new FileStream(target, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1);
        for (int read; (read = from.Read(piece)) > 0;)
        {
            cancel.ThrowIfCancellationRequested();
            to.Write(piece.AsSpan(0, read));
        }
        to.Flush(flushToDisk: true);
    }
}
