using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Weights.Tiles;

/// <summary>The memory of a tiled weight.</summary>
/// <param name="Codes">[experts, tiles, words, 16] words of 32 bits.</param>
/// <param name="Scales">[experts, tiles, segments, 16], or null.</param>
/// <param name="Zeros">[experts, tiles, segments, 16] bytes, or null.</param>
internal sealed record TileMemory(NativeBuffer Codes, NativeBuffer? Scales, NativeBuffer? Zeros) : IDisposable
{
    public void Dispose()
    {
        Codes.Dispose();
        Scales?.Dispose();
        Zeros?.Dispose();
    }
}
