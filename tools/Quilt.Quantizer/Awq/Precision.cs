using Quilt.Formats.Numerics;

namespace Quilt.Quantizer.Awq;

/// <summary>In what type a model computes; what it computes is rounded to that once.</summary>
internal enum Precision
{
    /// <summary>Nothing is rounded beyond float32.</summary>
    Float32,

    /// <summary>Every result is rounded to bfloat16.</summary>
    BFloat16,
}

/// <summary>Rounding to a precision.</summary>
internal static class Precisions
{
    /// <summary>The nearest value of the precision.</summary>
    public static float Round(this Precision precision, float value) => precision == Precision.BFloat16 ? BFloat16.Round(value) : value;

    /// <summary>The nearest value of the precision, by way of float32 as PyTorch converts a double.</summary>
    public static float Round(this Precision precision, double value) => precision.Round((float)value);

    /// <summary>Rounds all values in place.</summary>
    public static void Round(this Precision precision, Span<float> values)
    {
        if (precision == Precision.Float32) return;
        foreach (ref var value in values) value = BFloat16.Round(value);
    }
}
