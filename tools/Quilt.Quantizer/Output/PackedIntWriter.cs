using System.Buffers;
using System.Runtime.InteropServices;
using Quilt.Formats.Numerics;
using Quilt.Formats.Tensors;
using Quilt.Quantizer.Numerics;
using Quilt.Quantizer.Plan;
using Quilt.Quantizer.Recipes;

namespace Quilt.Quantizer.Output;

/// <summary>
/// Packed integers with scales in groups along a row. Codes are written as they are made; scales and zero points, which follow later in a file of the
/// usual order, are kept until then. Where scales come first they are found by a pass of their own.
/// </summary>
internal sealed class PackedIntWriter<T> where T : struct, IPrecision
{
    private readonly WeightRows weight;
    private readonly WeightScheme scheme;
    private readonly RowLoop loop;
    private readonly int group;
    private readonly int groups;
    private readonly int words;
    private float[]? scales;
    private sbyte[] zeros = [];

    public PackedIntWriter(WeightRows weight, WeightScheme scheme, RowLoop loop, float[]? scales)
    {
        (this.weight, this.scheme, this.loop, this.scales) = (weight, scheme, loop, scales);
        group = SchemeShape.Block(scheme, weight.Rows, weight.Columns).Columns;
        if (weight.Columns % group != 0) throw new ArgumentException($"{weight.Columns} columns are not whole groups of {group}.", nameof(scheme));
        groups = weight.Columns / group;
        words = checked((int)PackedInt.Words(scheme.Bits, weight.Columns));
        if (scales is null) return;
        if (!scheme.Symmetric) throw new ArgumentException("Scales are given for a scheme with zero points.", nameof(scales));
        if (scales.Length != weight.Rows * groups)
            throw new ArgumentException($"{scales.Length} scales are given for [{weight.Rows}, {groups}].", nameof(scales));
        ScaleCheck.All(weight, scales);
    }

    /// <summary>What writes each tensor.</summary>
    public IReadOnlyList<TensorToWrite> Tensors(IReadOnlyList<OutputTensor> layout) =>
    [
        layout[0].With(WriteCodes),
        layout[1].With(WriteScales),
        layout[2].With(to => to.Write(MemoryMarshal.AsBytes<long>([weight.Rows, weight.Columns]))),
        .. layout.Skip(3).Select(tensor => tensor.With(WriteZeros)),
    ];

    private void WriteCodes(Stream to)
    {
        var find = scales is null;
        if (find) Prepare();
        var batch = loop.BatchRows(weight);
        var codes = ArrayPool<uint>.Shared.Rent(checked(batch * words));
        try
        {
            for (var first = 0; first < weight.Rows; first += batch)
            {
                var (begin, end) = (first, Math.Min(first + batch, weight.Rows));
                loop.Run(weight, begin, end, (start, rows) =>
                {
                    if (find) Find(start, rows);
                    for (var r = 0; r < rows.Length / weight.Columns; r++)
                    {
                        GroupRow<T>.Pack(rows.Slice(r * weight.Columns, weight.Columns), group, scheme.Bits, Scales(start + r), Zeros(start + r),
                            codes.AsSpan((start - begin + r) * words, words));
                    }
                });
                to.Write(MemoryMarshal.AsBytes(codes.AsSpan(0, (end - begin) * words)));
            }
        }
        finally
        {
            ArrayPool<uint>.Shared.Return(codes);
        }
    }

    private void WriteScales(Stream to)
    {
        FindAll();
        to.Write(FloatBytes.Encode(weight.Type, scales));
    }

    private void WriteZeros(Stream to)
    {
        FindAll();
        to.Write(MemoryMarshal.AsBytes<int>(PackedInt.PackRows(zeros, weight.Rows, groups, scheme.Bits)));
    }

    private void FindAll()
    {
        if (scales is not null) return;
        Prepare();
        loop.Run(weight, 0, weight.Rows, Find);
    }

    private void Prepare()
    {
        scales = new float[checked(weight.Rows * groups)];
        if (!scheme.Symmetric) zeros = new sbyte[scales.Length];
    }

    private void Find(int first, ReadOnlySpan<float> rows)
    {
        for (var r = 0; r < rows.Length / weight.Columns; r++)
        {
            GroupRow<T>.FindScales(rows.Slice(r * weight.Columns, weight.Columns), group, scheme.Bits, Scales(first + r), Zeros(first + r));
            ScaleCheck.All(weight, Scales(first + r));
        }
    }

    private Span<float> Scales(int row) => scales.AsSpan(row * groups, groups);

    private Span<sbyte> Zeros(int row) => scheme.Symmetric ? default : zeros.AsSpan(row * groups, groups);
}
