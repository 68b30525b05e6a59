namespace Quilt.Formats.Numerics;

/// <summary>
/// Weights to float8 E4M3 with one scale for each block; partial blocks at the edges have their own scale.
/// scale = amax / 448, code = nearest(weight / scale). Two variants, both bit for bit: the published checkpoints' (everything in float32)
/// and the compressed-tensors library's (scale and quotient rounded to bfloat16).
/// </summary>
internal static class Fp8BlockQuantizer
{
    /// <summary>The float32 scale of a block in which every weight is zero: float32's epsilon.</summary>
    public const float EmptyScale = 1.1920929e-7f;

    /// <summary>
    /// Codes [rows, columns] and float32 scales [ceil(rows / blockRows), ceil(columns / blockColumns)], a multiplier despite its name `scale_inv`.
    /// </summary>
    public static (byte[] Codes, float[] Scales) Quantize(ReadOnlySpan<BFloat16> weight, int rows, int columns, int blockRows = 128,
        int blockColumns = 128)
        => Run(weight, rows, columns, blockRows, blockColumns, roundToBFloat16: false);

    /// <summary>The library's variant; every scale is a bfloat16.</summary>
    public static (byte[] Codes, float[] Scales) QuantizeWithBFloat16Scales(ReadOnlySpan<BFloat16> weight, int rows, int columns, int blockRows = 128,
        int blockColumns = 128)
        => Run(weight, rows, columns, blockRows, blockColumns, roundToBFloat16: true);

    private static (byte[] Codes, float[] Scales) Run(
        ReadOnlySpan<BFloat16> weight, int rows, int columns, int blockRows, int blockColumns, bool roundToBFloat16)
    {
        if (weight.Length != (long)rows * columns) throw new ArgumentException("The weight is not rows x columns.", nameof(weight));
        var across = (columns + blockColumns - 1) / blockColumns;
        var scales = new float[(rows + blockRows - 1) / blockRows * across];
        for (var r = 0; r < rows; r++)
        {
            var line = scales.AsSpan(r / blockRows * across, across);
            for (var c = 0; c < columns; c++) line[c / blockColumns] = MathF.Max(line[c / blockColumns], MathF.Abs((float)weight[r * columns + c]));
        }
        foreach (ref var scale in scales.AsSpan())
        {
            scale /= Float8E4M3.MaxValue;
            if (roundToBFloat16) scale = BFloat16.Round(scale);
            if (scale == 0) scale = roundToBFloat16 ? GroupQuantizer.EmptyScale : EmptyScale;
        }
        var codes = new byte[weight.Length];
        for (var r = 0; r < rows; r++)
        {
            for (var c = 0; c < columns; c++)
            {
                var t = (float)weight[r * columns + c] / scales[r / blockRows * across + c / blockColumns];
                codes[r * columns + c] = Float8E4M3.Encode(roundToBFloat16 ? BFloat16.Round(t) : t);
            }
        }
        return (codes, scales);
    }
}
