using System.Numerics.Tensors;
using Quilt.Formats.Numerics;
using Quilt.Quantizer.Recipes;

namespace Quilt.Quantizer.Awq;

/// <summary>
/// What a weight becomes by being scaled, quantized, dequantized and scaled back: round(dequantize(quantize(round(W · s))) / s), with the library's
/// rounding at every step (compressed-tensors; docs/quantization.md, "Plain rounding").
/// </summary>
/// <param name="scheme">How the weight is stored: integers in groups or channels.</param>
/// <param name="columns">Columns of a row.</param>
/// <param name="precision">The weight's type.</param>
internal sealed class FakeQuantizer(WeightScheme scheme, int columns, Precision precision)
{
    /// <summary>Columns that share a scale.</summary>
    public int Group { get; } = scheme.Strategy == ScaleStrategy.Group ? scheme.GroupSize : columns;

    /// <summary>Fills <paramref name="into"/> with what <paramref name="weight"/> [rows, scales] becomes.</summary>
    public void Run(float[] weight, double[] scales, float[] into)
    {
        if (precision == Precision.BFloat16) Run<BFloat16Precision>(weight, scales, into);
        else Run<SinglePrecision>(weight, scales, into);
    }

    private void Run<T>(float[] weight, double[] scales, float[] into) where T : struct, IPrecision =>
        Parallel.For(0, weight.Length / Group, group =>
        {
            var start = group * Group;
            var s = scales.AsSpan(start % scales.Length, Group);
            var part = into.AsSpan(start, Group);
            // PyTorch converts a double by way of float32.
            for (var i = 0; i < part.Length; i++) part[i] = T.Round((float)(weight[start + i] * s[i]));
            var (scale, zero) = scheme.Symmetric
                ? (GroupQuantizer.Symmetric<T>(MathF.Abs(TensorPrimitives.MaxMagnitude(part)), scheme.Bits), (sbyte)0)
                : GroupQuantizer.Asymmetric<T>(Math.Min(TensorPrimitives.Min(part), 0), Math.Max(TensorPrimitives.Max(part), 0), scheme.Bits);
            for (var i = 0; i < part.Length; i++)
            {
                var code = GroupQuantizer.Code<T>(part[i], scale, zero, scheme.Bits);
                part[i] = T.Round((float)(T.Round((code - zero) * scale) / s[i]));
            }
        });
}
