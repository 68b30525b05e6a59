namespace Quilt.Formats.Numerics;

/// <summary>
/// Weights to float8 E4M3 with one scale for each block; partial blocks at the edges have their own scale.
/// scale = amax / 448, code = nearest(weight / scale). Two variants, both bit for bit: the published checkpoints' (everything in float32)
/// and the compressed-tensors library's (scale and quotient rounded to the weights' dtype).
/// </summary>
internal static class Fp8BlockQuantizer
{
    /// <summary>
    /// Codes [rows, columns] and float32 scales [ceil(rows / blockRows), ceil(columns / blockColumns)], a multiplier despite its name `scale_inv`.
    /// </summary>
    public static (byte[] Codes, float[] Scales) Quantize(ReadOnlySpan<BFloat16> weight, int rows, int columns, int blockRows = 128,
        int blockColumns = 128)
        => Quantize<SinglePrecision>(Values(weight), rows, columns, blockRows, blockColumns);

    /// <summary>The library's variant; every scale is a bfloat16.</summary>
    public static (byte[] Codes, float[] Scales) QuantizeWithBFloat16Scales(ReadOnlySpan<BFloat16> weight, int rows, int columns, int blockRows = 128,
        int blockColumns = 128)
        => Quantize<BFloat16Precision>(Values(weight), rows, columns, blockRows, blockColumns);

    /// <summary>The same of weights in any dtype, with scale and quotient rounded to <typeparamref name="T"/>.</summary>
    public static (byte[] Codes, float[] Scales) Quantize<T>(ReadOnlySpan<float> weight, int rows, int columns, int blockRows, int blockColumns)
        where T : struct, IPrecision
    {
        if (weight.Length != (long)rows * columns) throw new ArgumentException("The weight is not rows x columns.", nameof(weight));
        var across = (columns + blockColumns - 1) / blockColumns;
        var scales = new float[(rows + blockRows - 1) / blockRows * across];
        for (var i = 0; i < weight.Length; i++)
        {
            ref var largest = ref scales[(i / columns / blockRows * across) + (i % columns / blockColumns)];
            largest = MathF.Max(largest, MathF.Abs(weight[i]));
        }
        foreach (ref var scale in scales.AsSpan()) scale = Scale<T>(scale);
        var codes = new byte[weight.Length];
        for (var i = 0; i < weight.Length; i++)
            codes[i] = Code<T>(weight[i], scales[(i / columns / blockRows * across) + (i % columns / blockColumns)]);
        return (codes, scales);
    }

    /// <summary>The scale of a block.</summary>
    /// <param name="amax">Its largest magnitude.</param>
    public static float Scale<T>(float amax) where T : struct, IPrecision =>
        T.Round(amax / Float8E4M3.MaxValue) is var scale && scale == 0 ? T.EmptyScale : scale;

    /// <summary>The code of one weight.</summary>
    public static byte Code<T>(float weight, float scale) where T : struct, IPrecision => Float8E4M3.Encode(T.Round(weight / scale));

    private static float[] Values(ReadOnlySpan<BFloat16> weight)
    {
        var values = new float[weight.Length];
        for (var i = 0; i < values.Length; i++) values[i] = (float)weight[i];
        return values;
    }
}
