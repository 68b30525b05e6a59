namespace Quilt.Quantizer.Awq.Refined;

/// <summary>
/// The scales that are tried: x^a / w^b, each divided by √(max · min), a and b from 0 to 1. First those of a wide mesh, scales of one among them;
/// then the neighbours of the best of these on a mesh of half the width.
/// </summary>
internal sealed class ScaleGrid(double[] x, double[] w)
{
    private const int InputSteps = 10;
    private const int WeightSteps = 4;

    /// <summary>A try.</summary>
    /// <param name="Inputs">a, how much the inputs' sizes count.</param>
    /// <param name="Weights">b, how much the weights' sizes count.</param>
    /// <param name="Scales">[channels].</param>
    public sealed record Point(double Inputs, double Weights, float[] Scales)
    {
        /// <summary>Scales of one.</summary>
        public bool IsIdentity => Inputs == 0 && Weights == 0;
    }

    /// <summary>The wide mesh; scales of one come first.</summary>
    public IReadOnlyList<Point> Wide() =>
    [
        .. from a in Enumerable.Range(0, (InputSteps / 2) + 1) from b in Enumerable.Range(0, (WeightSteps / 2) + 1) select Make(2 * a, 2 * b),
    ];

    /// <summary>What lies around a point of the wide mesh.</summary>
    public IReadOnlyList<Point> Around(Point point)
    {
        var (a, b) = ((int)Math.Round(point.Inputs * InputSteps), (int)Math.Round(point.Weights * WeightSteps));
        return
        [
            .. from i in Enumerable.Range(a - 1, 3) from j in Enumerable.Range(b - 1, 3)
               where (i, j) != (a, b) && i is >= 0 and <= InputSteps && j is >= 0 and <= WeightSteps select Make(i, j),
        ];
    }

    private Point Make(int inputs, int weights)
    {
        // A channel that never sees anything has no say in how large the others are; it stays within their bounds.
        var (a, b) = (inputs / (double)InputSteps, weights / (double)WeightSteps);
        var scales = new double[x.Length];
        for (var c = 0; c < scales.Length; c++) scales[c] = Math.Pow(x[c], a) / Math.Pow(w[c] + 1e-4, b);
        var known = scales.Where((_, c) => x[c] > 0 || a == 0).DefaultIfEmpty(1).ToArray();
        var (least, most) = (known.Min(), known.Max());
        var middle = Math.Sqrt(least * most);
        return new(a, b, Array.ConvertAll(scales, s => (float)(Math.Clamp(s, least, most) / middle)));
    }
}
