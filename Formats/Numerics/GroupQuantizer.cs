namespace Quilt.Formats.Numerics;

/// <summary>
/// Round-to-nearest quantization of weights in groups along a row, bit for bit as the compressed-tensors library does it: every quotient is taken in
/// float32 and rounded to the weights' dtype, clamping comes before rounding, and zero is always inside the range.
/// Symmetric: scale = amax / ((2^bits - 1) / 2). Asymmetric: scale = (max - min) / (2^bits - 1), with a zero point for each group.
/// </summary>
internal static class GroupQuantizer
{
    /// <summary>Codes [rows, columns], scales [rows, columns / group], zero points of the same shape where asymmetric.</summary>
    public sealed record Result(sbyte[] Codes, BFloat16[] Scales, sbyte[]? ZeroPoints);

    /// <summary>
    /// Quantizes bfloat16 weights [rows, columns] in groups of <paramref name="group"/> columns (the row's length for one scale a row).
    /// </summary>
    public static Result Quantize(ReadOnlySpan<BFloat16> weight, int rows, int columns, int group, int bits, bool symmetric)
    {
        if (weight.Length != (long)rows * columns) throw new ArgumentException("The weight is not rows x columns.", nameof(weight));
        var values = new float[weight.Length];
        for (var i = 0; i < values.Length; i++) values[i] = (float)weight[i];
        var (codes, scales, zeros) = Quantize<BFloat16Precision>(values, columns, group, bits, symmetric);
        return new Result(codes, Array.ConvertAll(scales, scale => (BFloat16)scale), zeros);
    }

    /// <summary>
    /// Quantizes whole rows of weights that are values of <typeparamref name="T"/>: codes as the weights lie, a scale and a zero point for each
    /// group.
    /// </summary>
    public static (sbyte[] Codes, float[] Scales, sbyte[]? ZeroPoints) Quantize<T>(ReadOnlySpan<float> weight, int columns, int group, int bits,
        bool symmetric) where T : struct, IPrecision
    {
        if (group <= 0 || columns % group != 0) throw new ArgumentException($"{columns} columns are not whole groups of {group}.", nameof(group));
        var codes = new sbyte[weight.Length];
        var scales = new float[weight.Length / group];
        var zeros = symmetric ? null : new sbyte[scales.Length];
        for (var i = 0; i < scales.Length; i++)
        {
            var part = weight.Slice(i * group, group);
            float min = 0, max = 0;
            foreach (var w in part) (min, max) = (MathF.Min(min, w), MathF.Max(max, w));
            (scales[i], var zero) = symmetric ? (Symmetric<T>(MathF.Max(-min, max), bits), (sbyte)0) : Asymmetric<T>(min, max, bits);
            if (zeros is not null) zeros[i] = zero;
            for (var j = 0; j < group; j++) codes[(i * group) + j] = Code<T>(part[j], scales[i], zero, bits);
        }
        return (codes, scales, zeros);
    }

    /// <summary>The scale of a group without zero point.</summary>
    /// <param name="amax">Its largest magnitude.</param>
    /// <param name="bits">Bits of a code.</param>
    public static float Symmetric<T>(float amax, int bits) where T : struct, IPrecision => NotZero<T>(T.Round(amax / (((1 << bits) - 1) / 2f)));

    /// <summary>The scale and the zero point of a group.</summary>
    /// <param name="min">Its smallest value, or 0.</param>
    /// <param name="max">Its largest value, or 0.</param>
    /// <param name="bits">Bits of a code.</param>
    public static (float Scale, sbyte Zero) Asymmetric<T>(float min, float max, int bits) where T : struct, IPrecision
    {
        int low = -(1 << (bits - 1)), high = (1 << (bits - 1)) - 1;
        var scale = T.Round(T.Round(max - min) / ((1 << bits) - 1));
        var zero = T.Round(low - T.Round(min / scale));     // 0 / 0 in an all-zero group: NaN, stored as 0
        return (NotZero<T>(scale), float.IsNaN(zero) ? (sbyte)0 : (sbyte)MathF.Round(Math.Clamp(zero, low, high)));
    }

    /// <summary>The code of one weight; a zero point of 0 is none.</summary>
    public static sbyte Code<T>(float weight, float scale, sbyte zero, int bits) where T : struct, IPrecision
    {
        int low = -(1 << (bits - 1)), high = (1 << (bits - 1)) - 1;
        var t = T.Round(T.Round(weight / scale) + zero);
        return float.IsNaN(t) ? (sbyte)0 : (sbyte)MathF.Round(Math.Clamp(t, low, high));
    }

    private static float NotZero<T>(float scale) where T : struct, IPrecision => scale == 0 ? T.EmptyScale : scale;
}
