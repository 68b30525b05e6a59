namespace Quilt.Tests.Quantizer;

/// <summary>A folder that is deleted at the end; below it those that a test writes.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public TemporaryFolder() => Directory.CreateDirectory(Path);

    public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"quilt-quantizer-{Guid.NewGuid():N}");

    /// <summary>A path below it.</summary>
    public string Below(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Everything that lies in it, links and hidden files too.</summary>
    public string[] Names =>
        [.. Directory.EnumerateFileSystemEntries(Path).Select(path => System.IO.Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
