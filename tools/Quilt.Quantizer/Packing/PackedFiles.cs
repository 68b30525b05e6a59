using Quilt.Formats;
using Quilt.Formats.Checkpoints;

namespace Quilt.Quantizer.Packing;

/// <summary>The files of a packed model, held to their checksums: what opening, which reads headers alone, does not do.</summary>
internal static class PackedFiles
{
    /// <summary>Reads all files whole.</summary>
    /// <param name="folder">A packed model.</param>
    /// <param name="cancel">Ends it.</param>
    /// <returns>Each file's name and what is wrong with it; null: nothing.</returns>
    /// <exception cref="BadInputException">The folder cannot be opened, or is not packed.</exception>
    public static IEnumerable<(string File, string? Problem)> Check(string folder, CancellationToken cancel)
    {
        using var checkpoint = Checkpoint.OpenHeaders(folder);
        if (!checkpoint.IsPacked) throw new BadInputException(checkpoint.Folder, null, "expected a packed model, found one that is not");
        foreach (var (path, header) in checkpoint.Packed.OrderBy(file => file.Key, StringComparer.Ordinal))
        {
            string? problem = null;
            try
            {
                PackedDigest.Check(path, header, cancel);
            }
            catch (BadInputException refused)
            {
                problem = refused.Message;
            }
            yield return (Path.GetFileName(path), problem);
        }
    }
}
