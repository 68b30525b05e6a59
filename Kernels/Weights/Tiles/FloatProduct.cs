using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Weights.Tiles;

/// <summary>Any format with float32 input [rows, places], multiplied with <see cref="TileKernel{T, TFormat}.HalfPower"/>.</summary>
internal readonly unsafe struct FloatProduct<T, TFormat>(TileLayout layout, Matrix x) : ITileProduct
    where T : unmanaged, IVector16<T>
    where TFormat : struct, ITileFormat
{
    public void One(in TileCursor tile, int row, float* y) => TileKernel<T, TFormat>.One(tile, layout, x.RowData(row), y);

    public void TwoTiles(in TileCursor tile, int row, float* y) => TileKernel<T, TFormat>.TwoTiles(tile, layout, x.RowData(row), y);

    public void FourTokens(in TileCursor tile, int r0, int r1, int r2, int r3, float* y) =>
        TileKernel<T, TFormat>.FourTokens(tile, layout, x.RowData(r0), x.RowData(r1), x.RowData(r2), x.RowData(r3), y);
}
