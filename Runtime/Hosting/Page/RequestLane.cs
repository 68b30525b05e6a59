using System.Diagnostics;
using Quilt.Runtime;

namespace Quilt.Hosting.Page;

/// <summary>
/// One request as <see cref="RequestLanes"/> keeps it. While it runs its figures are read from the request; what has ended keeps them alone, so that
/// a prompt's tokens are not held by a picture of them. Times are of <see cref="Stopwatch"/>; guarded by the lock of its owner.
/// </summary>
internal sealed class RequestLane(long id, Generation generation, long now)
{
    private Generation? generation = generation;
    private long submitted = now;
    private long? started;
    private long? ended;
    private Figures last;
    private FinishReason? reason;

    /// <summary>When it ended; null while it runs.</summary>
    public long? Ended => ended;

    /// <summary>Its first tokens are part of the next step.</summary>
    public void Start(long now)
    {
        if (started is not null) return;
        started = now;
        // The engine let it in between two steps; it has waited for longer than that.
        submitted = now - Ticks(generation!.Stats.QueueTime);
    }

    /// <summary>It is over.</summary>
    public void End(long now)
    {
        (last, reason, ended) = (Figures.Of(generation!), generation!.FinishReason, now);
        generation = null;
    }

    /// <summary>What a client is told of it.</summary>
    /// <param name="zero">The time that milliseconds are counted from.</param>
    public RequestReport Report(long zero)
    {
        var figures = generation is null ? last : Figures.Of(generation);
        var state = ended is not null ? "ended" : started is null ? "waiting" : figures.GeneratedTokens == 0 ? "reading" : "generating";
        long? first = figures.GeneratedTokens == 0 ? null : submitted + Ticks(figures.PromptTime);
        return new RequestReport
        {
            Id = id,
            State = state,
            Reason = reason is { } why ? NameOf(why) : null,
            PromptTokens = figures.PromptTokens,
            CachedTokens = figures.CachedTokens,
            GeneratedTokens = figures.GeneratedTokens,
            Submitted = Milliseconds(submitted),
            Started = started is { } start ? Milliseconds(start) : null,
            FirstToken = first is { } token ? Milliseconds(token) : null,
            Ended = ended is { } end ? Milliseconds(end) : null,
        };

        double Milliseconds(long at) => Math.Round(Stopwatch.GetElapsedTime(zero, at).TotalMilliseconds, 1);
    }

    private static string NameOf(FinishReason reason) => char.ToLowerInvariant(reason.ToString()[0]) + reason.ToString()[1..];

    private static long Ticks(TimeSpan time) => (long)(time.TotalSeconds * Stopwatch.Frequency);

    private readonly record struct Figures(int PromptTokens, int CachedTokens, int GeneratedTokens, TimeSpan PromptTime)
    {
        public static Figures Of(Generation generation) => generation.Stats is var stats
            ? new(stats.PromptTokens, stats.CachedTokens, stats.GeneratedTokens, stats.PromptTime) : default;
    }
}
