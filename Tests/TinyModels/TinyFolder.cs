namespace Quilt.Tests.TinyModels;

/// <summary>A temporary folder with a <see cref="TinyMiniMax"/> in it, deleted at the end.</summary>
internal sealed class TinyFolder : IDisposable
{
    public TinyFolder(int seed = 1, bool tokenizer = false, int layers = TinyMiniMax.Layers, params (string Name, float[] Values)[] attention) =>
        TinyMiniMax.Write(Path, seed, tokenizer, layers, attention);

    public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"quilt-tiny-{Guid.NewGuid():N}");

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
