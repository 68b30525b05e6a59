using Quilt.Formats;

namespace Quilt.Quantizer.Output;

/// <summary>Looks whether a disk has the room before anything is written.</summary>
internal static class DiskRoom
{
    /// <summary>Refuses a disk with less room.</summary>
    /// <param name="path">A folder that will be on it; it need not exist.</param>
    /// <param name="bytes">Room that is needed.</param>
    /// <exception cref="BadInputException">It has less.</exception>
    public static void Check(string path, long bytes)
    {
        var folder = path;
        while (!Directory.Exists(folder) && Path.GetDirectoryName(folder) is { } above) folder = above;
        var free = new DriveInfo(folder).AvailableFreeSpace;
        if (free < bytes)
            throw new BadInputException(path, null,
                FormattableString.Invariant($"expected {bytes / 1e9:0.000} GB free, found {free / 1e9:0.000} GB"));
    }
}
