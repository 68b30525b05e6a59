namespace Quilt.Quantizer.Awq.Refined;

/// <summary>The scales that are tried: x^a / w^b, each divided by √(max · min), a and b from 0 to 1, scales of one first.</summary>
internal static class ScaleGrid
{
    /// <summary>A try.</summary>
    /// <param name="Inputs">a, how much the inputs' sizes count.</param>
    /// <param name="Weights">b, how much the weights' sizes count.</param>
    /// <param name="Scales">[channels].</param>
    public sealed record Point(double Inputs, double Weights, float[] Scales);

    /// <summary>All tries.</summary>
    /// <param name="x">[channels] mean size of each input.</param>
    /// <param name="w">[channels] mean size of the weights.</param>
    public static IReadOnlyList<Point> Of(double[] x, double[] w) =>
    [
        .. from a in Enumerable.Range(0, 11) from b in Enumerable.Range(0, 5) select Make(x, w, a / 10.0, b / 4.0),
    ];

    private static Point Make(double[] x, double[] w, double a, double b)
    {
        // A channel that never sees anything has no say in how large the others are; it keeps the middle.
        var scales = new double[x.Length];
        for (var c = 0; c < scales.Length; c++) scales[c] = Math.Pow(x[c], a) / Math.Pow(w[c] + 1e-4, b);
        var known = scales.Where((_, c) => x[c] > 0 || a == 0).DefaultIfEmpty(1).ToArray();
        var (least, most) = (known.Min(), known.Max());
        var middle = Math.Sqrt(least * most);
        return new(a, b, Array.ConvertAll(scales, s => (float)(Math.Clamp(s, least, most) / middle)));
    }
}
