using System.Diagnostics;

namespace Quilt.Cli.Bench.Serve;

/// <summary>Takes the times of a reply's chunks.</summary>
/// <param name="from">When it was to be sent, on Stopwatch's clock.</param>
internal sealed class ReplyClock(long from)
{
    private readonly List<double> gaps = [];
    private long first, last;

    /// <summary>Chunks that carried tokens.</summary>
    public int Chunks { get; private set; }

    /// <summary>Seconds to the first one; NaN before it.</summary>
    public double FirstToken => Chunks == 0 ? double.NaN : Seconds(from, first);

    /// <summary>A chunk with tokens came.</summary>
    public void Tick(long at)
    {
        if (Chunks++ == 0) first = at;
        else gaps.Add(Seconds(last, at));
        last = at;
    }

    /// <summary>
    /// Times between tokens. Where <paramref name="tokens"/> came in another number of chunks, the times between chunks are scaled so that their
    /// mean is the time from the first chunk to the last over the tokens behind the first.
    /// </summary>
    public IReadOnlyList<double> Gaps(int tokens)
    {
        if (gaps.Count == 0 || tokens < 2 || tokens == Chunks) return gaps;
        var scale = (Chunks - 1.0) / (tokens - 1);
        return gaps.ConvertAll(gap => gap * scale);
    }

    /// <summary>Seconds since the request was to be sent.</summary>
    public double Since(long at) => Seconds(from, at);

    private static double Seconds(long begin, long end) => Stopwatch.GetElapsedTime(begin, end).TotalSeconds;
}
