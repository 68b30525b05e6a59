namespace Quilt.Quantizer.Stitching;

/// <summary>
/// What a checkpoint folder holds beside weights: settings, tokenizer, templates, licence. Hidden files and folders, such as a version control's, are
/// not of it.
/// </summary>
internal static class OtherFiles
{
    private static readonly string[] Weights = [".safetensors", ".safetensors.index.json", ".bin", ".bin.index.json", ".gguf", ".pt", ".pth"];

    /// <summary>Their paths below the folder.</summary>
    public static IReadOnlyList<string> Of(string folder)
    {
        var found = new List<string>();
        Walk("");
        found.Sort(StringComparer.Ordinal);
        return found;

        void Walk(string below)
        {
            var directory = new DirectoryInfo(Path.Combine(folder, below));
            found.AddRange(directory.EnumerateFiles().Where(file => file.Name[0] != '.'
                && !Array.Exists(Weights, end => file.Name.EndsWith(end, StringComparison.OrdinalIgnoreCase)))
                .Select(file => Path.Combine(below, file.Name)));
            // A link to a folder may lead anywhere, also back here.
            foreach (var inner in directory.EnumerateDirectories().Where(inner => inner.Name[0] != '.' && inner.LinkTarget is null))
                Walk(Path.Combine(below, inner.Name));
        }
    }

    /// <summary>Their bytes.</summary>
    public static long Bytes(string folder, IEnumerable<string> files) => files.Sum(file =>
    {
        using var stream = File.OpenRead(Path.Combine(folder, file));
        return stream.Length;
    });

    /// <summary>Copies them; a link becomes what it points to, and permissions do not come along.</summary>
    public static void Copy(string folder, IEnumerable<string> files, string into, CancellationToken cancel)
    {
        foreach (var file in files)
        {
            cancel.ThrowIfCancellationRequested();
            var target = Path.Combine(into, file);
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            using var from = File.OpenRead(Path.Combine(folder, file));
            using var to = new FileStream(target, FileMode.CreateNew, FileAccess.Write);
            from.CopyTo(to);
            to.Flush(flushToDisk: true);
        }
    }
}
