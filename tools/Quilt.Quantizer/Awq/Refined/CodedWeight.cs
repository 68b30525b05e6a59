using System.Buffers;
using System.Runtime.InteropServices;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights;
using Quilt.Kernels.Weights.Tiles;

namespace Quilt.Quantizer.Awq.Refined;

/// <summary>
/// A matrix as it would be stored, in the tiles that inference multiplies with: made anew for every try, from the plain values, so that a try costs
/// the reading of these and a product.
/// </summary>
internal sealed class CodedWeight : IDisposable
{
    private readonly RowCoder coder;
    private readonly Weight weight;

    public CodedWeight(RowCoder coder, int rows, int columns)
    {
        this.coder = coder;
        var scales = coder.HasBFloat16Scales ? TileScales.BFloat16 : TileScales.Float32;
        weight = coder.Bits == 4
            ? new Int4GroupWeight("try", 1, rows, columns, TileLayout.Even<Int4Format>(columns, coder.Group), coder.Group, scales, !coder.Symmetric)
            : new Int8GroupWeight("try", 1, rows, columns, TileLayout.Even<Int8Format>(columns, coder.Group), coder.Group, scales, !coder.Symmetric);
    }

    /// <summary>Quantizes W[n, k] · columnScales[k] / rowDivisors[n].</summary>
    /// <param name="pool">Who works.</param>
    /// <param name="values">W [rows, columns].</param>
    /// <param name="columnScales">[columns].</param>
    /// <param name="rowDivisors">[rows]; empty: ones.</param>
    /// <param name="groupScales">[rows, groups] scales to use; empty: those of the largest values.</param>
    public void Set(WorkPool pool, float[] values, float[] columnScales, float[] rowDivisors, float[] groupScales)
    {
        if (weight is Int4GroupWeight four) Run(new Job<Int4Format>(four, coder, values, columnScales, rowDivisors, groupScales));
        else Run(new Job<Int8Format>((Int8GroupWeight)weight, coder, values, columnScales, rowDivisors, groupScales));

        void Run<TJob>(TJob job) where TJob : struct, IJob => pool.Run((weight.Rows + RowsAnItem - 1) / RowsAnItem, ref job);
    }

    /// <summary>y = W · x; x must be divided by the column scales already.</summary>
    public void MatMul(OpStream ops, Matrix x, Matrix y) => weight.MatMul(ops, x, y);

    public void Dispose() => weight.Dispose();

    private const int RowsAnItem = 16;

    private readonly struct Job<TFormat>(TiledWeight<TFormat> weight, RowCoder coder, float[] values, float[] columnScales, float[] rowDivisors,
        float[] groupScales) : IJob
        where TFormat : struct, ITileFormat
    {
        public void Execute(int item)
        {
            var (columns, groups) = (weight.Columns, coder.Groups);
            var words = ((columns * coder.Bits) + 31) / 32;
            var rented = ArrayPool<float>.Shared.Rent(columns + groups);
            var packed = ArrayPool<uint>.Shared.Rent(words + columns);
            var zeroPoints = coder.Symmetric ? [] : ArrayPool<sbyte>.Shared.Rent(groups);
            var row = rented.AsSpan(0, columns);
            var found = rented.AsSpan(columns, groups);
            var zeros = coder.Symmetric ? default : zeroPoints.AsSpan(0, groups);
            var plain = weight.Layout.IsIdentity && words == weight.Layout.Words;
            for (var r = item * RowsAnItem; r < Math.Min((item + 1) * RowsAnItem, weight.Rows); r++)
            {
                coder.Scale(values.AsSpan(r * columns, columns), columnScales, rowDivisors.Length == 0 ? 1 : rowDivisors[r], row);
                if (groupScales.Length == 0) coder.FindScales(row, found, zeros);
                else groupScales.AsSpan(r * groups, groups).CopyTo(found);
                coder.Pack(row, found, zeros, packed.AsSpan(0, words));
                weight.SetScales(0, r, found, zeros, weight.ZeroCode);
                if (plain) TileWords.Place(packed.AsSpan(0, words), weight, 0, r);
                else
                {
                    TileWords.Unpack(MemoryMarshal.AsBytes(packed.AsSpan(0, words)), packed.AsSpan(words, columns), coder.Bits);
                    weight.SetCodes(0, r, packed.AsSpan(words, columns));
                }
            }
            ArrayPool<float>.Shared.Return(rented);
            ArrayPool<uint>.Shared.Return(packed);
            if (zeroPoints.Length > 0) ArrayPool<sbyte>.Shared.Return(zeroPoints);
        }
    }
}
