using Quilt.Runtime.Kv;
using Quilt.Runtime.Scheduling;

namespace Quilt.Runtime;

/// <summary>What an engine tells of itself: a snapshot after every step, and whoever observes it. Written by the engine's thread.</summary>
internal sealed class EngineReports(Scheduler scheduler, KvBlockPool blocks, EngineObserver? observer)
{
    private readonly SnapshotCell cell = new();
    private EngineObserver? observer = observer;
    private long steps;
    private long finished;
    private long promptTokens;
    private long generatedTokens;

    /// <summary>The engine as of its last step; from any thread.</summary>
    public EngineSnapshot Snapshot => cell.Read();

    /// <summary>What an observer threw, which is told nothing since; null: nothing.</summary>
    public volatile Exception? ObserverFailure;

    /// <summary>A request was let in.</summary>
    public void Submitted(Generation generation)
    {
        if (observer is not null) Tell(generation, static (observer, generation) => observer.RequestSubmitted(generation));
    }

    /// <summary>A request is part of a step for the first time.</summary>
    public void Started(Generation generation)
    {
        promptTokens += generation.Stats.PromptTokens;
        if (observer is not null) Tell(generation, static (observer, generation) => observer.RequestStarted(generation));
    }

    /// <summary>A request is over.</summary>
    public void Ended(Generation generation)
    {
        finished++;
        if (observer is not null) Tell(generation, static (observer, generation) => observer.RequestEnded(generation));
    }

    /// <summary>A step was made.</summary>
    public void StepEnded(int prompts, int replies, int chosen, TimeSpan time)
    {
        steps++;
        generatedTokens += chosen;
        var snapshot = Publish();
        if (observer is null) return;
        var report = new StepReport(prompts, replies, time, snapshot);
        Tell(report, static (observer, report) => observer.StepEnded(report));
    }

    /// <summary>There is nothing to do.</summary>
    public void Idle() => Publish();

    private EngineSnapshot Publish()
    {
        var snapshot = new EngineSnapshot
        {
            Steps = steps,
            Running = scheduler.Running,
            Waiting = scheduler.Waiting,
            Blocks = blocks.Blocks,
            BlocksUsed = blocks.Blocks - blocks.Free,
            BlocksCached = blocks.Prefixes.Count,
            PromptTokens = promptTokens,
            GeneratedTokens = generatedTokens,
            PrefixQueries = scheduler.Prefixes.Queries,
            PrefixHits = scheduler.Prefixes.Hits,
            FromTiers = scheduler.Prefixes.FromTiers,
            Preemptions = scheduler.Preemptions,
            Finished = finished,
        };
        cell.Write(snapshot);
        return snapshot;
    }

    // Somebody else's code: what it throws must not end the engine.
    private void Tell<T>(in T what, Action<EngineObserver, T> how)
    {
        try
        {
            how(observer!, what);
        }
#pragma warning disable CA1031 // As above.
        catch (Exception thrown)
#pragma warning restore CA1031
        {
            (observer, ObserverFailure) = (null, thrown);
        }
    }
}
