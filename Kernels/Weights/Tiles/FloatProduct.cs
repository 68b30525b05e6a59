using System.Runtime.CompilerServices;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Weights.Tiles;

/// <summary>
/// Any format with float32 input [rows, places], multiplied with <see cref="TileKernel{T, TFormat}.HalfPower"/>. One or two rows take the codes as
/// they come; for more, a block of codes is turned into floats in the nearest cache, once for all rows.
/// </summary>
internal readonly unsafe struct FloatProduct<T, TRegister, TFormat>(TileLayout layout, Matrix x, Panels panels) : ITileProduct
    where T : unmanaged, IVector16<T>
    where TRegister : unmanaged, IRegister<TRegister>
    where TFormat : struct, ITileFormat
{
    [SkipLocalsInit]
    public void Multiply(in TileCursor tile, int tiles, in InputRows rows, float* y)
    {
        if (rows.First + rows.Count >= Panels.LeastRows)
        {
            MultiplyPanels(tile, tiles, rows, y);
            return;
        }
        for (var t = 0; t < rows.Count; t++, y += TileMatMul.SumStride)
        {
            if (tiles == 2) TileKernel<T, TFormat>.TwoTiles(tile, layout, x.RowData(rows.Rows[t]), y);
            else TileKernel<T, TFormat>.One(tile, layout, x.RowData(rows.Rows[t]), y);
        }
    }

    [SkipLocalsInit]
    private void MultiplyPanels(in TileCursor tile, int tiles, in InputRows rows, float* y)
    {
        var room = stackalloc float[(((2 * TileLayout.BlockCodes) + (2 * InputRows.Most)) * 16) + 16];
        var block = TileMatMul.Aligned(room);
        var sums = block + (2 * TileLayout.BlockCodes * 16);
        var count = (rows.Count + Panels.Width - 1) / Panels.Width * Panels.Width;
        new Span<float>(y, count * TileMatMul.SumStride).Clear();

        // Two registers of AVX-512 are two tiles: where there is one alone it is taken twice, and nobody looks at the second.
        var lanes = Math.Max(16 * tiles, 2 * TRegister.Lanes);
        var second = tile.Next(layout, tiles - 1);
        var half = TRegister.Broadcast(TileKernel<T, TFormat>.HalfPower);
        var panelFloats = (nint)layout.Places * Panels.Width;
        var panel = panels.Data(rows.Expert, rows.First);
        var pieces = layout.Pieces;
        for (var p = 0; p < pieces.Length;)
        {
            var (from, used) = (p, 0);
            for (; p < pieces.Length && used + pieces[p].Codes <= TileLayout.BlockCodes; p++)
            {
                TileKernel<T, TFormat>.Decode(tile, pieces[p], block + (used * 16));
                if (lanes > 16) TileKernel<T, TFormat>.Decode(second, pieces[p], block + ((TileLayout.BlockCodes + used) * 16));
                used += pieces[p].Codes;
            }
            for (var lane = 0; lane < lanes; lane += 2 * TRegister.Lanes)
            {
                var u = Weights(block, lane);
                var v = Weights(block, lane + TRegister.Lanes);
                for (var i = from; i < p; i++)
                {
                    var (segment, codes) = (pieces[i].Segment, pieces[i].Codes);
                    var ends = new SegmentEnds<TRegister>(pieces[i].Begins, pieces[i].Ends, Scale(tile, second, segment, lane),
                        Scale(tile, second, segment, lane + TRegister.Lanes), half);
                    var input = panel + ((nint)pieces[i].FirstCode * Panels.Width);
                    for (var at = lane; at < count * TileMatMul.SumStride; at += Panels.Width * TileMatMul.SumStride, input += panelFloats)
                        PanelKernel<TRegister>.Six(u, v, input, codes, ends, sums + at, y + at, TRegister.Lanes);
                    u += codes * 16;
                    v += codes * 16;
                }
            }
        }
    }

    private static float* Weights(float* block, int lane) => block + (lane / 16 * TileLayout.BlockCodes * 16) + (lane % 16);

    private static TRegister Scale(in TileCursor tile, in TileCursor second, int segment, int lane) =>
        lane < 16 ? tile.Scale<TRegister>(segment, lane) : second.Scale<TRegister>(segment, lane - 16);
}
