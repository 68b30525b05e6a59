namespace Quilt.Quantizer.Awq.Match;

/// <summary>
/// AWQ's scale of each input channel: s = max(x^r / (w^(1 − r) + 1e-4), 1e-4), divided by √(max s · min s); without the weights' part s = max(x^r,
/// 1e-4). x^r is computed in x's type, whose exponent is of that type too; everything with w in double.
/// </summary>
internal static class SmoothScales
{
    /// <summary>The scales [columns] of a ratio.</summary>
    /// <param name="x">Mean sizes of the inputs.</param>
    /// <param name="precision">Their type.</param>
    /// <param name="w">Mean sizes of the weights.</param>
    /// <param name="ratio">0 to 1.</param>
    /// <param name="duo">Whether the weights count.</param>
    public static double[] Of(ReadOnlySpan<float> x, Precision precision, ReadOnlySpan<double> w, double ratio, bool duo)
    {
        var scales = new double[x.Length];
        var exponent = (double)precision.Round(ratio);
        for (var c = 0; c < scales.Length; c++)
        {
            var power = precision.Round(Math.Pow(x[c], exponent));
            scales[c] = duo ? Math.Max(power / (Math.Pow(w[c], 1 - ratio) + 1e-4), 1e-4) : precision.Round(Math.Max(power, precision.Round(1e-4)));
        }
        var (most, least) = (scales.Max(), scales.Min());
        var middle = duo ? Math.Sqrt(most * least) : precision.Round(Math.Sqrt(precision.Round(most * least)));
        for (var c = 0; c < scales.Length; c++)
        {
            var scale = scales[c] / middle;
            if (!duo) scale = precision.Round(scale);
            scales[c] = double.IsFinite(scale) ? scale : 1;
        }
        return scales;
    }
}
