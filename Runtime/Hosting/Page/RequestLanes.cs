using System.Diagnostics;
using Quilt.Runtime;

namespace Quilt.Hosting.Page;

/// <summary>
/// The requests of one model as the page draws them, those that run and the last that ran; and how fast tokens come. Told by the engine's thread, to
/// which it costs a lock that is hardly ever held; read from any thread. It knows numbers and times, and nothing that a request says.
/// </summary>
internal sealed class RequestLanes : EngineObserver
{
    /// <summary>Most lanes. The oldest that has ended goes first; a request that finds all of them running has none.</summary>
    public const int Most = 256;

    private const int Recent = 128;
    private static readonly long Zero = Stopwatch.GetTimestamp();

    private readonly Lock gate = new();
    private readonly Dictionary<Generation, RequestLane> running = [];
    private readonly Queue<RequestLane> ended = new();
    private readonly double[] firstTokens = new double[Recent];       // seconds, a ring
    private readonly TokenRate prompts = new();
    private readonly TokenRate replies = new();
    private int firstTokenCount;
    private long submitted;

    /// <summary>Milliseconds since the server began to count.</summary>
    public static double Now => Math.Round(Stopwatch.GetElapsedTime(Zero).TotalMilliseconds, 1);

    /// <inheritdoc/>
    public override void StepEnded(in StepReport step)
    {
        var now = Stopwatch.GetTimestamp();
        lock (gate)
        {
            prompts.Add(step.PromptTokens, now);
            replies.Add(step.DecodeTokens, now);
        }
    }

    /// <inheritdoc/>
    public override void RequestSubmitted(Generation generation)
    {
        lock (gate)
        {
            submitted++;
            if (running.Count >= Most) return;
            if (running.Count + ended.Count >= Most) ended.Dequeue();
            running[generation] = new RequestLane(submitted, generation, Stopwatch.GetTimestamp());
        }
    }

    /// <inheritdoc/>
    public override void RequestStarted(Generation generation)
    {
        lock (gate)
        {
            if (running.TryGetValue(generation, out var lane)) lane.Start(Stopwatch.GetTimestamp());
        }
    }

    /// <inheritdoc/>
    public override void RequestEnded(Generation generation)
    {
        lock (gate)
        {
            if (generation.Stats.GeneratedTokens > 0) firstTokens[firstTokenCount++ % Recent] = generation.Stats.PromptTime.TotalSeconds;
            if (!running.Remove(generation, out var lane)) return;
            lane.End(Stopwatch.GetTimestamp());
            ended.Enqueue(lane);
        }
    }

    /// <summary>The model as it is now.</summary>
    /// <param name="name">What requests call it.</param>
    /// <param name="snapshot">Its engine's; null where it is not loaded.</param>
    public ModelReport Report(string name, EngineSnapshot? snapshot)
    {
        var now = Stopwatch.GetTimestamp();
        var engine = snapshot.GetValueOrDefault();
        lock (gate)
        {
            return new ModelReport
            {
                Name = name,
                Loaded = snapshot is not null,
                Running = engine.Running,
                Waiting = engine.Waiting,
                Blocks = engine.Blocks,
                BlocksUsed = engine.BlocksUsed,
                BlocksCached = engine.BlocksCached,
                CacheUsage = Math.Round(engine.CacheUsage, 4),
                PrefixQueries = engine.PrefixQueries,
                PrefixHits = engine.PrefixHits,
                HitRate = Math.Round(engine.HitRate, 4),
                PromptTokens = engine.PromptTokens,
                GeneratedTokens = engine.GeneratedTokens,
                Steps = engine.Steps,
                Preemptions = engine.Preemptions,
                Finished = engine.Finished,
                PromptRate = Math.Round(prompts.PerSecond(now), 1),
                GeneratedRate = Math.Round(replies.PerSecond(now), 1),
                TimeToFirstToken = Median(firstTokens.AsSpan(0, Math.Min(firstTokenCount, Recent))),
                Lanes = [.. running.Values.Concat(ended.Reverse()).Select(lane => lane.Report(Zero))],
            };
        }
    }

    private static double? Median(ReadOnlySpan<double> values)
    {
        if (values.IsEmpty) return null;
        Span<double> sorted = stackalloc double[values.Length];
        values.CopyTo(sorted);
        sorted.Sort();
        return Math.Round((sorted[(values.Length - 1) / 2] + sorted[values.Length / 2]) / 2, 4);
    }
}
