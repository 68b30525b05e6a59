using System.Runtime.CompilerServices;
using Quilt.Kernels.Ops.Vectors;
using Quilt.Kernels.Weights.Tiles;

namespace Quilt.Kernels.Weights;

/// <summary>4-bit integers with int8 input.</summary>
internal readonly unsafe struct Int4ByInt8Product<T>(TileLayout layout, Int8Activations x) : ITileProduct where T : unmanaged, IRegister<T>
{
    [SkipLocalsInit]
    public void Multiply(in TileCursor tile, int tiles, in InputRows rows, float* y)
    {
        var offsets = stackalloc nint[InputRows.Most];
        for (var t = 0; t < rows.Count; t++) offsets[t] = rows.Rows[t] * x.RowBytes;
        var room = stackalloc float[(InputRows.Most * 16) + 16];
        var sums = TileMatMul.Aligned(room);
        for (var i = 0; i < tiles; i++)
        {
            var next = tile.Next(layout, i);
            if (next.HasZeros) Int4ByInt8Kernel<T, StoredZeros>.Multiply(next, layout, x, offsets, rows.Count, sums, y + (16 * i));
            else Int4ByInt8Kernel<T, MiddleZeros>.Multiply(next, layout, x, offsets, rows.Count, sums, y + (16 * i));
        }
    }
}
