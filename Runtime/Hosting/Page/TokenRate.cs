using System.Diagnostics;

namespace Quilt.Hosting.Page;

/// <summary>Tokens a second over the last two seconds: quarters of a second in a ring. Not for several threads at once.</summary>
internal sealed class TokenRate
{
    private const int PerSecondParts = 4;
    private const int Window = 2 * PerSecondParts;

    private readonly long[] counts = new long[Window + 1];
    private readonly long[] parts = new long[Window + 1];

    /// <summary>So many tokens came.</summary>
    /// <param name="tokens">How many.</param>
    /// <param name="now">When, on <see cref="Stopwatch"/>'s clock.</param>
    public void Add(int tokens, long now)
    {
        if (tokens == 0) return;
        var part = PartOf(now);
        var at = (int)(part % counts.Length);
        if (parts[at] != part) (parts[at], counts[at]) = (part, 0);
        counts[at] += tokens;
    }

    /// <summary>Over the last two seconds that are complete; what came in the quarter that runs is not counted yet.</summary>
    public double PerSecond(long now)
    {
        var part = PartOf(now);
        var sum = 0L;
        for (var i = 0; i < counts.Length; i++)
        {
            if (part - parts[i] is >= 1 and <= Window) sum += counts[i];
        }
        return sum * (double)PerSecondParts / Window;
    }

    private static long PartOf(long now) => now / (Stopwatch.Frequency / PerSecondParts);
}
