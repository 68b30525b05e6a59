using Quilt.Formats.Numerics;
using Quilt.Formats.Tensors;
using Quilt.Quantizer.Numerics;
using Quilt.Quantizer.Recipes;

namespace Quilt.Quantizer.Awq.Refined;

/// <summary>Quantizes rows of integers in groups, in the arithmetic of the weight's dtype.</summary>
/// <param name="type">BF16, F16 or F32.</param>
/// <param name="scheme">Integers in groups or channels.</param>
/// <param name="columns">Columns of a row.</param>
internal sealed class RowCoder(DType type, WeightScheme scheme, int columns)
{
    /// <summary>Columns that share a scale.</summary>
    public int Group { get; } = scheme.Strategy == ScaleStrategy.Group ? scheme.GroupSize : columns;

    /// <summary>Groups of a row.</summary>
    public int Groups => columns / Group;

    /// <summary>Bits of a code.</summary>
    public int Bits => scheme.Bits;

    /// <summary>No zero points.</summary>
    public bool Symmetric => scheme.Symmetric;

    /// <summary>Whether bfloat16 holds every scale.</summary>
    public bool HasBFloat16Scales => type == DType.BF16;

    /// <summary>The row times a scale a column, divided by one number, in the weight's dtype.</summary>
    public void Scale(ReadOnlySpan<float> row, ReadOnlySpan<float> scales, float divisor, Span<float> into) =>
        ScaledRow.Run(type, row, scales, divisor, into);

    /// <summary>The scale of each group by its largest value and, where codes have them, zero points.</summary>
    public void FindScales(ReadOnlySpan<float> row, Span<float> scales, Span<sbyte> zeros)
    {
        switch (type)
        {
            case DType.BF16: GroupRow<BFloat16Precision>.FindScales(row, Group, Bits, scales, zeros); break;
            case DType.F16: GroupRow<HalfPrecision>.FindScales(row, Group, Bits, scales, zeros); break;
            default: GroupRow<SinglePrecision>.FindScales(row, Group, Bits, scales, zeros); break;
        }
    }

    /// <summary>The codes of a row, packed.</summary>
    public void Pack(ReadOnlySpan<float> row, ReadOnlySpan<float> scales, ReadOnlySpan<sbyte> zeros, Span<uint> words)
    {
        switch (type)
        {
            case DType.BF16: GroupRow<BFloat16Precision>.Pack(row, Group, Bits, scales, zeros, words); break;
            case DType.F16: GroupRow<HalfPrecision>.Pack(row, Group, Bits, scales, zeros, words); break;
            default: GroupRow<SinglePrecision>.Pack(row, Group, Bits, scales, zeros, words); break;
        }
    }

    /// <summary>The nearest value of the weight's dtype.</summary>
    public float Round(float value) => ScaledRow.Round(type, value);
}
