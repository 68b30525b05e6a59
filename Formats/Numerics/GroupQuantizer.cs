namespace Quilt.Formats.Numerics;

/// <summary>
/// Round-to-nearest quantization of bfloat16 weights in groups along a row, bit for bit as the compressed-tensors library does it:
/// every quotient is taken in float32 and rounded to bfloat16, clamping comes before rounding, and zero is always inside the range.
/// Symmetric: scale = amax / ((2^bits - 1) / 2). Asymmetric: scale = (max - min) / (2^bits - 1), with a zero point for each group.
/// </summary>
internal static class GroupQuantizer
{
    /// <summary>The scale of a group in which every weight is zero: bfloat16's epsilon.</summary>
    public const float EmptyScale = 0.0078125f;

    /// <summary>Codes [rows, columns], scales [rows, columns / group], zero points of the same shape where asymmetric.</summary>
    public sealed record Result(sbyte[] Codes, BFloat16[] Scales, sbyte[]? ZeroPoints);

    /// <summary>Quantizes [rows, columns] in groups of <paramref name="group"/> columns (the row's length for one scale a row).</summary>
    public static Result Quantize(ReadOnlySpan<BFloat16> weight, int rows, int columns, int group, int bits, bool symmetric)
    {
        if (group <= 0 || columns % group != 0) throw new ArgumentException($"{columns} columns are not whole groups of {group}.", nameof(group));
        if (weight.Length != (long)rows * columns) throw new ArgumentException("The weight is not rows x columns.", nameof(weight));
        var groups = columns / group;
        var codes = new sbyte[weight.Length];
        var scales = new BFloat16[rows * groups];
        var zeros = symmetric ? null : new sbyte[scales.Length];
        for (var i = 0; i < scales.Length; i++)
        {
            var (scale, zero) = symmetric
                ? (SymmetricScale(weight.Slice(i * group, group), bits), (sbyte)0)
                : Asymmetric(weight.Slice(i * group, group), bits);
            scales[i] = scale;
            if (zeros is not null) zeros[i] = zero;
            Encode(weight.Slice(i * group, group), (float)scale, zero, bits, symmetric, codes.AsSpan(i * group, group));
        }
        return new Result(codes, scales, zeros);
    }

    private static BFloat16 SymmetricScale(ReadOnlySpan<BFloat16> weight, int bits)
    {
        var amax = 0f;
        foreach (var w in weight) amax = MathF.Max(amax, MathF.Abs((float)w));
        return NotZero((BFloat16)(amax / (((1 << bits) - 1) / 2f)));
    }

    private static (BFloat16 Scale, sbyte Zero) Asymmetric(ReadOnlySpan<BFloat16> weight, int bits)
    {
        float min = 0, max = 0;
        foreach (var w in weight)
        {
            min = MathF.Min(min, (float)w);
            max = MathF.Max(max, (float)w);
        }
        int low = -(1 << (bits - 1)), high = (1 << (bits - 1)) - 1;
        var scale = BFloat16.Round(BFloat16.Round(max - min) / ((1 << bits) - 1));
        var zero = BFloat16.Round(low - BFloat16.Round(min / scale));     // 0 / 0 in an all-zero group: NaN, stored as 0
        var code = float.IsNaN(zero) ? (sbyte)0 : (sbyte)MathF.Round(Math.Clamp(zero, low, high));
        return (NotZero((BFloat16)scale), code);
    }

    private static void Encode(ReadOnlySpan<BFloat16> weight, float scale, sbyte zero, int bits, bool symmetric, Span<sbyte> codes)
    {
        int low = -(1 << (bits - 1)), high = (1 << (bits - 1)) - 1;
        for (var i = 0; i < weight.Length; i++)
        {
            var t = BFloat16.Round((float)weight[i] / scale);
            if (!symmetric) t = BFloat16.Round(t + zero);
            codes[i] = float.IsNaN(t) ? (sbyte)0 : (sbyte)MathF.Round(Math.Clamp(t, low, high));
        }
    }

    private static BFloat16 NotZero(BFloat16 scale) => (float)scale == 0 ? (BFloat16)EmptyScale : scale;
}
