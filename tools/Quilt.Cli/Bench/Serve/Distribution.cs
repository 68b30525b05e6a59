namespace Quilt.Cli.Bench.Serve;

/// <summary>What a set of durations looks like, in seconds; NaN where there are none.</summary>
internal readonly record struct Distribution(double Mean, double P50, double P90, double P99)
{
    /// <summary>Percentiles by nearest rank: the smallest sample that so many percent are not above. Sorts <paramref name="samples"/>.</summary>
    public static Distribution Of(List<double> samples)
    {
        if (samples.Count == 0) return new(double.NaN, double.NaN, double.NaN, double.NaN);
        samples.Sort();
        return new(samples.Average(), Percentile(samples, 50), Percentile(samples, 90), Percentile(samples, 99));
    }

    private static double Percentile(List<double> sorted, int percent) => sorted[(int)((((long)sorted.Count * percent) + 99) / 100) - 1];
}
