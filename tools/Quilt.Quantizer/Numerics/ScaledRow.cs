using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Quilt.Formats.Numerics;
using Quilt.Formats.Tensors;

namespace Quilt.Quantizer.Numerics;

/// <summary>A row of a weight times a number a column and over one number, in float32, in the end rounded once to the weight's dtype.</summary>
internal static class ScaledRow
{
    /// <summary>Fills <paramref name="into"/>, which may be the row itself.</summary>
    /// <param name="type">BF16, F16 or F32.</param>
    /// <param name="row">The row.</param>
    /// <param name="scales">One a column; empty: ones.</param>
    /// <param name="divisor">What it is divided by.</param>
    /// <param name="into">As long as the row.</param>
    public static void Run(DType type, ReadOnlySpan<float> row, ReadOnlySpan<float> scales, float divisor, Span<float> into)
    {
        if (scales.IsEmpty) row.CopyTo(into);
        else TensorPrimitives.Multiply(row, scales, into);
        if (divisor != 1) TensorPrimitives.Divide(into, divisor, into);
        switch (type)
        {
            case DType.BF16: Round<BFloat16Precision>(into); break;
            case DType.F16: Round<HalfPrecision>(into); break;
        }
    }

    /// <summary>The nearest value of a dtype.</summary>
    public static float Round(DType type, float value) =>
        type switch { DType.BF16 => BFloat16.Round(value), DType.F16 => (float)(Half)value, _ => value };

    private static void Round<T>(Span<float> values) where T : struct, IPrecision
    {
        var whole = MemoryMarshal.Cast<float, Vector256<float>>(values);
        foreach (ref var eight in whole) eight = T.Round(eight);
        foreach (ref var value in values[(whole.Length * Vector256<float>.Count)..]) value = T.Round(value);
    }
}
