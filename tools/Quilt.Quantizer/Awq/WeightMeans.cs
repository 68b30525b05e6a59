namespace Quilt.Quantizer.Awq;

/// <summary>
/// The mean over rows of a weight's size within its group: w[c] = (1 / rows) · Σ_r |W[r, c]| / (max over the group of |W[r, ·]| + 1e-6), the quotient
/// in the weight's type and the sum in double (AWQ as llm-compressor has it).
/// </summary>
internal sealed class WeightMeans(Precision precision, int columns, int group)
{
    private readonly double[] sums = new double[columns];
    private long rows;

    /// <summary>The means [columns].</summary>
    public double[] Result => Array.ConvertAll(sums, sum => sum / rows);

    /// <summary>Takes a weight [rows, columns].</summary>
    public void Add(ReadOnlySpan<float> weight)
    {
        for (var start = 0; start < weight.Length; start += group)
        {
            var part = weight.Slice(start, group);
            var largest = 0f;
            foreach (var w in part) largest = Math.Max(largest, Math.Abs(w));
            var divisor = precision.Round(largest + 1e-6f);
            var column = start % columns;
            for (var i = 0; i < part.Length; i++) sums[column + i] += precision.Round(Math.Abs(part[i]) / divisor);
        }
        rows += weight.Length / columns;
    }
}
