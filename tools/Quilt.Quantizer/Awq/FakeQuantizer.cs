using Quilt.Formats.Numerics;
using Quilt.Quantizer.Recipes;

namespace Quilt.Quantizer.Awq;

/// <summary>
/// What a weight becomes by being scaled, quantized, dequantized and scaled back: round(dequantize(quantize(round(W · s))) / s), with the library's
/// rounding at every step (compressed-tensors; docs/quantization.md, "Plain rounding").
/// </summary>
internal sealed class FakeQuantizer
{
    private readonly Precision precision;
    private readonly int low;
    private readonly int high;
    private readonly bool symmetric;

    /// <summary>For integer codes in groups of columns.</summary>
    /// <param name="scheme">How the weight is stored.</param>
    /// <param name="columns">Columns of a row.</param>
    /// <param name="precision">The weight's type.</param>
    public FakeQuantizer(WeightScheme scheme, int columns, Precision precision)
    {
        this.precision = precision;
        Group = scheme.Strategy == ScaleStrategy.Group ? scheme.GroupSize : columns;
        (low, high, symmetric) = (-(1 << (scheme.Bits - 1)), (1 << (scheme.Bits - 1)) - 1, scheme.Symmetric);
    }

    /// <summary>Columns that share a scale.</summary>
    public int Group { get; }

    /// <summary>Fills <paramref name="into"/> with what <paramref name="weight"/> [rows, scales] becomes.</summary>
    public void Run(float[] weight, double[] scales, float[] into) => Parallel.For(0, weight.Length / Group, group =>
    {
        var start = group * Group;
        var s = scales.AsSpan(start % scales.Length, Group);
        var part = into.AsSpan(start, Group);
        for (var i = 0; i < part.Length; i++) part[i] = precision.Round(weight[start + i] * s[i]);
        var (scale, zero) = symmetric ? (SymmetricScale(part), 0) : Asymmetric(part);
        for (var i = 0; i < part.Length; i++)
        {
            var t = precision.Round(part[i] / scale);
            if (!symmetric) t = precision.Round(t + zero);
            var code = float.IsNaN(t) ? 0 : MathF.Round(Math.Clamp(t, low, high));
            part[i] = precision.Round(precision.Round((code - zero) * scale) / s[i]);
        }
    });

    private float SymmetricScale(ReadOnlySpan<float> group)
    {
        var largest = 0f;
        foreach (var w in group) largest = Math.Max(largest, Math.Abs(w));
        return NotZero(precision.Round(largest / ((high - low) / 2f)));
    }

    private (float Scale, int Zero) Asymmetric(ReadOnlySpan<float> group)
    {
        float least = 0, most = 0;
        foreach (var w in group) (least, most) = (Math.Min(least, w), Math.Max(most, w));
        var scale = precision.Round(precision.Round(most - least) / (high - low));
        var zero = precision.Round(low - precision.Round(least / scale));
        return (NotZero(scale), float.IsNaN(zero) ? 0 : (int)MathF.Round(Math.Clamp(zero, low, high)));
    }

    private float NotZero(float scale) =>
        scale != 0 ? scale : precision == Precision.BFloat16 ? BFloat16Precision.EmptyScale : SinglePrecision.EmptyScale;
}
