namespace Quilt.Tests.Runtime.Kv.Tiers;

/// <summary>A temporary folder for files of cached blocks, deleted at the end.</summary>
internal sealed class TierFolder : IDisposable
{
    public TierFolder() => Directory.CreateDirectory(Path);

    public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"quilt-kv-{Guid.NewGuid():N}");

    /// <summary>The one file of blocks in it.</summary>
    public string File => Directory.GetFiles(Path, "*.kv").Single();

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
