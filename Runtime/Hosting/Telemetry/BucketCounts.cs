namespace Quilt.Hosting.Telemetry;

/// <summary>A histogram: any thread counts and reads, nobody waits. A reader may see a count whose value is not yet in the sum.</summary>
/// <param name="bounds">Upper bounds, ascending; what is above the last is counted too.</param>
internal sealed class BucketCounts(double[] bounds)
{
    private readonly long[] counts = new long[bounds.Length + 1];
    private double sum;

    /// <summary>Upper bounds of all but the last bucket.</summary>
    public ReadOnlySpan<double> Bounds => bounds;

    /// <summary>All that was counted.</summary>
    public double Sum => Volatile.Read(ref sum);

    /// <summary>How many fell into a bucket, and in none below it.</summary>
    public long this[int bucket] => Volatile.Read(ref counts[bucket]);

    /// <summary>Counts a value, or so many that are alike.</summary>
    public void Add(double value, long times = 1)
    {
        var bucket = 0;
        while (bucket < bounds.Length && value > bounds[bucket]) bucket++;
        Interlocked.Add(ref counts[bucket], times);
        var before = Volatile.Read(ref sum);
        while (true)
        {
            var seen = Interlocked.CompareExchange(ref sum, before + value * times, before);
            if (seen.Equals(before)) return;
            before = seen;
        }
    }

    /// <summary>Counts a time, in seconds.</summary>
    public void Add(TimeSpan time) => Add(time.TotalSeconds);
}
