using Quilt.Kernels.Ops.Vectors;
using Quilt.Kernels.Weights.Tiles;

namespace Quilt.Kernels.Weights;

/// <summary>4-bit integers with int8 input.</summary>
internal readonly unsafe struct Int4ByInt8Product<T>(TileLayout layout, Int8Activations x) : ITileProduct where T : unmanaged, IVector16<T>
{
    public void One(in TileCursor tile, int row, float* y) => Int4ByInt8Kernel<T>.One(tile, layout, x, row, y);

    public void TwoTiles(in TileCursor tile, int row, float* y)
    {
        for (var i = 0; i < 2; i++) Int4ByInt8Kernel<T>.One(tile.Next(layout, i), layout, x, row, y + (16 * i));
    }

    public void FourTokens(in TileCursor tile, int r0, int r1, int r2, int r3, float* y) =>
        Int4ByInt8Kernel<T>.FourTokens(tile, layout, x, r0, r1, r2, r3, y);
}
