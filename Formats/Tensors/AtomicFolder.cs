namespace Quilt.Formats.Tensors;

/// <summary>
/// Writes a folder beside its place and gives it its name at the end: nobody sees half of it, and whatever stops the writing before leaves nothing.
/// </summary>
internal static class AtomicFolder
{
    /// <summary>
    /// Runs <paramref name="write"/> on a new folder beside <paramref name="folder"/>, which then takes its name.
    /// </summary>
    /// <param name="folder">The place; it must not exist or be empty.</param>
    /// <param name="bytes">About how much will be written there.</param>
    /// <param name="write">Fills the folder that it is given.</param>
    /// <exception cref="BadInputException">The place is taken, or the disk has not the room.</exception>
    public static void Write(string folder, long bytes, Action<string> write)
    {
        folder = CheckFree(folder);
        var parent = Path.GetDirectoryName(folder) ?? folder;
        Directory.CreateDirectory(parent);
        CheckRoom(parent, bytes);
        var temporary = $"{folder}.{Guid.NewGuid():N}.tmp";
        Directory.CreateDirectory(temporary);
        try
        {
            write(temporary);
            if (Directory.Exists(folder)) Directory.Delete(folder);
            Directory.Move(temporary, folder);
        }
        finally
        {
            if (Directory.Exists(temporary)) Directory.Delete(temporary, recursive: true);
        }
    }

    /// <summary>The full path of a folder that does not exist or is empty; for those who want to know before they begin to compute.</summary>
    /// <exception cref="BadInputException">It is a file, or has something in it.</exception>
    public static string CheckFree(string folder)
    {
        folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        if (File.Exists(folder)) throw new BadInputException(folder, null, "expected a new or empty folder, found a file");
        if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
            throw new BadInputException(folder, null, "expected a new or empty folder, found files in it");
        return folder;
    }

    private static void CheckRoom(string parent, long bytes)
    {
        var free = new DriveInfo(parent).AvailableFreeSpace;
        if (free < bytes)
            throw new BadInputException(parent, null,
                FormattableString.Invariant($"expected {bytes / 1e9:0.0} GB of free disk space, found {free / 1e9:0.0} GB"));
    }
}
