using System.Buffers;
using Quilt.Formats.Numerics;
using Quilt.Formats.Tensors;
using Quilt.Quantizer.Numerics;
using Quilt.Quantizer.Plan;
using Quilt.Quantizer.Recipes;

namespace Quilt.Quantizer.Output;

/// <summary>
/// FP8 codes with a scale a block, a row or a matrix. A block's scale is known when all of its rows have been seen, and in a file of the usual order
/// scales come first: so one pass finds them, another one makes the codes and writes them as they are made.
/// </summary>
/// <typeparam name="T">The weight's dtype; float32 in the official form, whatever the weight is.</typeparam>
internal sealed class Fp8Writer<T> where T : struct, IPrecision
{
    private readonly WeightRows weight;
    private readonly RowLoop loop;
    private readonly int blockRows;
    private readonly int blockColumns;
    private readonly int across;
    private readonly int count;
    private readonly Lock gate = new();
    private float[]? scales;

    public Fp8Writer(WeightRows weight, WeightScheme scheme, RowLoop loop, float[]? scales)
    {
        (this.weight, this.loop, this.scales) = (weight, loop, scales);
        (blockRows, blockColumns) = SchemeShape.Block(scheme, weight.Rows, weight.Columns);
        across = SchemeShape.Parts(weight.Columns, blockColumns);
        count = checked(SchemeShape.Parts(weight.Rows, blockRows) * across);
        if (scales is null) return;
        if (scales.Length != count) throw new ArgumentException($"{scales.Length} scales are given, expected {count}.", nameof(scales));
        ScaleCheck.All(weight, scales);
    }

    /// <summary>What writes each tensor.</summary>
    public IReadOnlyList<TensorToWrite> Tensors(IReadOnlyList<OutputTensor> layout) =>
        [layout[0].With(WriteCodes), layout[1].With(to => to.Write(FloatBytes.Encode(layout[1].Type, Scales())))];

    private void WriteCodes(Stream to)
    {
        var found = Scales();
        var batch = loop.BatchRows(weight);
        var codes = ArrayPool<byte>.Shared.Rent(checked(batch * weight.Columns));
        try
        {
            for (var first = 0; first < weight.Rows; first += batch)
            {
                var (begin, end) = (first, Math.Min(first + batch, weight.Rows));
                loop.Run(weight, begin, end, (start, rows) =>
                {
                    for (var r = 0; r < rows.Length / weight.Columns; r++)
                    {
                        Fp8Row<T>.Encode(rows.Slice(r * weight.Columns, weight.Columns), blockColumns,
                            found.AsSpan((start + r) / blockRows * across, across),
                            codes.AsSpan((start - begin + r) * weight.Columns, weight.Columns));
                    }
                });
                to.Write(codes.AsSpan(0, (end - begin) * weight.Columns));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(codes);
        }
    }

    private float[] Scales()
    {
        if (scales is not null) return scales;
        var largest = new float[count];
        loop.Run(weight, 0, weight.Rows, (start, rows) =>
        {
            // Rows of a block may be on several threads: each adds what it found.
            var above = start / blockRows;
            var lines = ((start + (rows.Length / weight.Columns) - 1) / blockRows) - above + 1;
            var own = new float[lines * across];
            for (var r = 0; r < rows.Length / weight.Columns; r++)
            {
                Fp8Row<T>.Widen(rows.Slice(r * weight.Columns, weight.Columns), blockColumns,
                    own.AsSpan((((start + r) / blockRows) - above) * across, across));
            }
            lock (gate)
            {
                for (var i = 0; i < own.Length; i++) largest[(above * across) + i] = MathF.Max(largest[(above * across) + i], own[i]);
            }
        });
        foreach (ref var scale in largest.AsSpan()) scale = Fp8BlockQuantizer.Scale<T>(scale);
        ScaleCheck.All(weight, largest);
        return scales = largest;
    }
}
