using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Weights.Tiles;

/// <summary>
/// Codes of eight bits with an input of <see cref="Int16Activations"/>. One or two rows take the codes as they come, more have panels.
/// </summary>
internal readonly unsafe struct PairProduct<TRegister, TFormat> : ITileProduct, IBlockKernel<TRegister>
    where TRegister : unmanaged, IRegister<TRegister>
    where TFormat : struct, IPairFormat
{
    private readonly TileLayout layout;
    private readonly Int16Activations x;
    private readonly Panels codes;
    private readonly Panels scales;

    /// <summary>Quantizes an input whose columns lie as the weight's places.</summary>
    public PairProduct(OpStream ops, TileLayout layout, Matrix input, ExpertPlan? plan, ExpertRows rows)
    {
        this.layout = layout;
        x = Int16Activations.Quantize(ops, input);
        codes = Panels.Of(ops, x.Codes, plan, rows);
        scales = Panels.Of(ops, x.Scales, plan, rows);
    }

    public static int CodesAStep => 2;

    public static float Unit => TFormat.PairUnit;

    /// <summary>Whether the segments of a layout are whole groups of the input, in the order of columns.</summary>
    public static bool Suits(TileLayout layout)
    {
        if (!layout.IsIdentity) return false;
        foreach (var words in layout.SegmentWords)
        {
            if (words * 4 % Int16Activations.Group != 0) return false;
        }
        return true;
    }

    public void Multiply(in TileCursor tile, int tiles, in InputRows rows, float* y)
    {
        if (rows.First + rows.Count >= Panels.LeastRows)
        {
            PanelLoop<TRegister, PairProduct<TRegister, TFormat>>.Multiply(this, layout, tile, tiles, rows, y);
            return;
        }
        for (var t = 0; t < rows.Count; t++, y += TileMatMul.SumStride)
        {
            var (q, d) = ((nint)x.Codes.RowData(rows.Rows[t]), (nint)x.Scales.RowData(rows.Rows[t]));
            // Two registers of one tile at a time, or, where a register is a whole tile, two tiles; the last of an odd number is its own neighbour,
            // whose outputs have room beside the last's.
            for (var at = 0; at < 16 * tiles; at += 2 * TRegister.Lanes)
            {
                var other = at + TRegister.Lanes < 16 * tiles ? at + TRegister.Lanes : at;
                var (first, second) = (tile.Next(layout, at / 16), tile.Next(layout, other / 16));
                PairRow<TRegister, TFormat>.Multiply(first, second, at % 16, other % 16, layout, (int*)q, (float*)d, y + at);
            }
        }
    }

    public static void Decode(in TileCursor tile, in TilePiece piece, float* into) => PairKernel<TRegister, TFormat>.Decode(tile, piece, into);

    public int Width(int expert) => codes.Width(expert);

    public void Multiply(float* first, float* second, int expert, int row, in TilePiece piece, in SegmentEnds<TRegister> ends, float* sums, float* y)
    {
        var width = codes.Width(expert);
        var groups = piece.Codes / Int16Activations.Group;
        var q = (int*)codes.Data(expert, row) + ((nint)piece.FirstCode / 2 * width);
        var d = scales.Data(expert, row) + ((nint)piece.FirstCode / Int16Activations.Group * width);
        if (width == 6) PairKernel<TRegister, TFormat>.Multiply<SixRows>(first, second, q, d, groups, ends, sums, y);
        else PairKernel<TRegister, TFormat>.Multiply<FourRows>(first, second, q, d, groups, ends, sums, y);
    }
}
