using System.Runtime.CompilerServices;
using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Weights.Tiles;

/// <summary>
/// A GEMM of one or two tiles with many rows: a block of codes is turned into what is multiplied, in the nearest cache and once for all rows; then
/// two registers of outputs at a time meet a panel at a time.
/// </summary>
internal static unsafe class PanelLoop<TRegister, TBlock>
    where TRegister : unmanaged, IRegister<TRegister>
    where TBlock : struct, IBlockKernel<TRegister>
{
    /// <summary>Fills y [rows], <see cref="TileMatMul.SumStride"/> apart; rows are rounded up to whole panels.</summary>
    [SkipLocalsInit]
    public static void Multiply(TBlock block, TileLayout layout, in TileCursor tile, int tiles, in InputRows rows, float* y)
    {
        const int TileFloats = TileLayout.BlockCodes * 16;
        var room = stackalloc float[(2 * TileFloats) + (InputRows.Most * TileMatMul.SumStride) + 16];
        var weights = TileMatMul.Aligned(room);
        var sums = weights + (2 * TileFloats);
        var width = block.Width(rows.Expert);
        var panels = (rows.Count + width - 1) / width;
        new Span<float>(y, panels * width * TileMatMul.SumStride).Clear();

        // Two registers of AVX-512 are two tiles: where there is one alone it is taken twice, and nobody looks at the second.
        var lanes = Math.Max(16 * tiles, 2 * TRegister.Lanes);
        var second = tile.Next(layout, tiles - 1);
        var unit = TRegister.Broadcast(TBlock.Unit);
        var pieces = layout.Pieces;
        for (var p = 0; p < pieces.Length;)
        {
            var (from, used) = (p, 0);
            for (; p < pieces.Length && used + pieces[p].Codes <= TileLayout.BlockCodes; p++)
            {
                TBlock.Decode(tile, pieces[p], weights + (used / TBlock.CodesAStep * 16));
                if (lanes > 16) TBlock.Decode(second, pieces[p], weights + TileFloats + (used / TBlock.CodesAStep * 16));
                used += pieces[p].Codes;
            }
            for (var lane = 0; lane < lanes; lane += 2 * TRegister.Lanes)
            {
                var u = weights + Place(lane);
                var v = weights + Place(lane + TRegister.Lanes);
                for (var i = from; i < p; i++)
                {
                    var ends = new SegmentEnds<TRegister>(pieces[i].Begins, pieces[i].Ends, Scale(tile, second, pieces[i].Segment, lane),
                        Scale(tile, second, pieces[i].Segment, lane + TRegister.Lanes), unit);
                    var (row, at) = (rows.First, lane);
                    for (var n = 0; n < panels; n++, row += width, at += width * TileMatMul.SumStride)
                        block.Multiply(u, v, rows.Expert, row, pieces[i], ends, sums + at, y + at);
                    u += pieces[i].Codes / TBlock.CodesAStep * 16;
                    v += pieces[i].Codes / TBlock.CodesAStep * 16;
                }
            }
        }

        static int Place(int lane) => (lane / 16 * TileFloats) + (lane % 16);
    }

    private static TRegister Scale(in TileCursor tile, in TileCursor second, int segment, int lane) =>
        lane < 16 ? tile.Scale<TRegister>(segment, lane) : second.Scale<TRegister>(segment, lane - 16);
}

/// <summary>What a block of codes is turned into, and how that meets a panel of the input.</summary>
internal unsafe interface IBlockKernel<TRegister> where TRegister : unmanaged, IRegister<TRegister>
{
    /// <summary>Codes of a row that a lane of the block holds.</summary>
    static abstract int CodesAStep { get; }

    /// <summary>What sums are multiplied with beside their scale.</summary>
    static abstract float Unit { get; }

    /// <summary>Some codes of one tile as [codes / CodesAStep, 16].</summary>
    static abstract void Decode(in TileCursor tile, in TilePiece piece, float* into);

    /// <summary>Rows of an expert's panels.</summary>
    int Width(int expert);

    /// <summary>
    /// Takes the panel of an expert that begins with <paramref name="row"/> through some codes of two registers of weights; sums and outputs are
    /// [rows], <see cref="TileMatMul.SumStride"/> apart.
    /// </summary>
    void Multiply(float* first, float* second, int expert, int row, in TilePiece piece, in SegmentEnds<TRegister> ends, float* sums, float* y);
}
