namespace Quilt.Cli.Bench;

/// <summary>What is made of a number that was measured several times.</summary>
internal static class Samples
{
    /// <summary>The one in the middle, or the mean of the two there; NaN of none.</summary>
    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? double.NaN
            : sorted.Length % 2 == 1 ? sorted[sorted.Length / 2]
            : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }
}
