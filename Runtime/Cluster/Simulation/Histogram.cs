namespace Quilt.Cluster.Simulation;

/// <summary>Times by their size, to half a percent, from a microsecond on; for more of them than one would keep.</summary>
internal sealed class Histogram
{
    private const double Least = 1e-6, Growth = 1.01;
    private static readonly double LogGrowth = Math.Log(Growth);
    private readonly List<long> counts = [];

    /// <summary>How many there are.</summary>
    public long Count { get; private set; }

    /// <summary>Takes a time in seconds.</summary>
    public void Add(double seconds)
    {
        var bucket = seconds <= Least ? 0 : (int)Math.Round(Math.Log(seconds / Least) / LogGrowth);
        while (counts.Count <= bucket) counts.Add(0);
        counts[bucket]++;
        Count++;
    }

    /// <summary>The time that this share of all is not above; not a number where there are none.</summary>
    public double At(double share)
    {
        var left = (long)Math.Ceiling(share * Count);
        for (var bucket = 0; bucket < counts.Count; bucket++)
        {
            left -= counts[bucket];
            if (left <= 0 && Count > 0) return Least * Math.Pow(Growth, bucket);
        }
        return double.NaN;
    }
}
