namespace Quilt.Cli.Bench.Serve;

/// <summary>When conversations of an open loop begin: a Poisson process, known before the first request is sent, whatever the server does.</summary>
internal static class ArrivalSchedule
{
    /// <summary>Seconds after the start, ascending; the first is 0, gaps are exponential with mean 1 / <paramref name="rate"/>.</summary>
    /// <param name="rate">Arrivals a second; above 0.</param>
    /// <param name="count">How many.</param>
    /// <param name="seed">The same seed gives the same schedule.</param>
    public static double[] Poisson(double rate, int count, int seed)
    {
        var random = new Random(seed);
        var arrivals = new double[count];
        for (var i = 1; i < count; i++) arrivals[i] = arrivals[i - 1] - (Math.Log(1 - random.NextDouble()) / rate);
        return arrivals;
    }
}
