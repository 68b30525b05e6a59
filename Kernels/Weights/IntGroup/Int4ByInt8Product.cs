using System.Runtime.CompilerServices;
using Quilt.Kernels.Ops.Vectors;
using Quilt.Kernels.Weights.Tiles;

namespace Quilt.Kernels.Weights;

/// <summary>4-bit integers with int8 input.</summary>
internal readonly unsafe struct Int4ByInt8Product<T>(TileLayout layout, Int8Activations x) : ITileProduct where T : unmanaged, IRegister<T>
{
    public void Multiply(in TileCursor tile, int tiles, in InputRows rows, float* y)
    {
        if (tile.HasZeros) Multiply<StoredZeros>(tile, tiles, rows, y);
        else Multiply<MiddleZeros>(tile, tiles, rows, y);
    }

    [SkipLocalsInit]
    private void Multiply<TZeros>(in TileCursor tile, int tiles, in InputRows rows, float* y) where TZeros : struct, IZeroPoints
    {
        var offsets = stackalloc nint[InputRows.Most];
        for (var t = 0; t < rows.Count; t++) offsets[t] = rows.Rows[t] * x.RowBytes;
        var room = stackalloc float[(InputRows.Most * TileMatMul.SumStride) + 16];
        var sums = TileMatMul.Aligned(room);
        // Two registers of one tile at a time, or, where a register is a whole tile, two tiles; the last of an odd number is its own neighbour,
        // whose outputs have room beside the last's.
        for (var at = 0; at < 16 * tiles; at += 2 * T.Lanes)
        {
            var other = at + T.Lanes < 16 * tiles ? at + T.Lanes : at;
            var (first, second) = (tile.Next(layout, at / 16), tile.Next(layout, other / 16));
            if (rows.Count == 1)
            {
                Int4ByInt8Row<T, TZeros>.Multiply(first, second, at % 16, other % 16, layout, x.Records + offsets[0], y + at);
                continue;
            }
            Int4ByInt8Kernel<T, TZeros>.Multiply(first, second, at % 16, other % 16, layout, x, offsets, rows.Count, sums, y + at);
        }
    }
}
