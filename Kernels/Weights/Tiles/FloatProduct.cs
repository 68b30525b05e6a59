using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Weights.Tiles;

/// <summary>
/// Any format with float32 input [rows, places], multiplied with <see cref="TileKernel{T, TFormat}.HalfPower"/>. One or two rows take the codes as
/// they come, more have panels.
/// </summary>
internal readonly unsafe struct FloatProduct<T, TRegister, TFormat>(TileLayout layout, Matrix x, Panels panels)
    : ITileProduct, IBlockKernel<TRegister>
    where T : unmanaged, IVector16<T>
    where TRegister : unmanaged, IRegister<TRegister>
    where TFormat : struct, ITileFormat
{
    public static int CodesAStep => 1;

    public static float Unit => TileKernel<T, TFormat>.HalfPower;

    public void Multiply(in TileCursor tile, int tiles, in InputRows rows, float* y)
    {
        if (rows.First + rows.Count >= Panels.LeastRows)
        {
            PanelLoop<TRegister, FloatProduct<T, TRegister, TFormat>>.Multiply(this, layout, tile, tiles, rows, y);
            return;
        }
        for (var t = 0; t < rows.Count; t++, y += TileMatMul.SumStride)
        {
            if (tiles == 2) TileKernel<T, TFormat>.TwoTiles(tile, layout, x.RowData(rows.Rows[t]), y);
            else TileKernel<T, TFormat>.One(tile, layout, x.RowData(rows.Rows[t]), y);
        }
    }

    public static void Decode(in TileCursor tile, in TilePiece piece, float* into) => TileKernel<T, TFormat>.Decode(tile, piece, into);

    public int Width(int expert) => panels.Width(expert);

    public void Multiply(float* first, float* second, int expert, int row, in TilePiece piece, in SegmentEnds<TRegister> ends, float* sums, float* y)
    {
        var width = panels.Width(expert);
        var input = panels.Data(expert, row) + ((nint)piece.FirstCode * width);
        if (width == 6) PanelKernel<TRegister, SixRows>.Multiply(first, second, input, piece.Codes, ends, sums, y);
        else PanelKernel<TRegister, FourRows>.Multiply(first, second, input, piece.Codes, ends, sums, y);
    }
}
