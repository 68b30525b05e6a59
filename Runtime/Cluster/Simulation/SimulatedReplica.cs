using Quilt.Cluster.Routing;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Scheduling;

namespace Quilt.Cluster.Simulation;

/// <summary>
/// A replica without a model: the engine's own scheduler, pool, prefix index and pace plan its steps, a cost model says what they take, and the trace
/// what is said.
/// </summary>
internal sealed class SimulatedReplica
{
    private readonly ClusterSpec spec;
    private readonly SimulationTally tally;
    private readonly Scheduler scheduler;
    private readonly PrefixChanges? changes;
    private readonly PromptPace pace;
    private readonly Dictionary<Sequence, SimulatedRequest> requests = [];
    private readonly List<SimulatedRequest> ended = [];
    private readonly List<BlockHash> came = [];
    private readonly List<BlockHash> went = [];
    private StepPlan? plan;
    private (int Prompts, int Replies, double Seconds) step;

    /// <summary>A replica with nothing to do.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="spec">What it is like.</param>
    /// <param name="tally">Where figures are gathered.</param>
    /// <param name="announces">Whether anybody hears what its cache holds.</param>
    public SimulatedReplica(string name, ClusterSpec spec, SimulationTally tally, bool announces)
    {
        (this.spec, this.tally) = (spec, tally);
        var pool = new KvBlockPool(spec.KvTokens / spec.BlockTokens, spec.BlockTokens);
        if (announces) pool.Prefixes.Changed = (changes = new PrefixChanges()).Note;
        scheduler = new Scheduler(pool, new SchedulerOptions
        {
            MaxBatchedTokens = spec.BatchedTokens,
            MaxSequences = spec.Sequences,
            MaxLogitRows = spec.Sequences,
            PrefixCaching = true,
        });
        pace = new PromptPace(TimeSpan.FromSeconds(spec.StepSeconds), spec.BatchedTokens);
        State = new ReplicaState { Name = name, Model = SimulatedRequest.Model, Capacity = spec.Sequences };
    }

    /// <summary>What the router sees of it.</summary>
    public ReplicaState State { get; }

    /// <summary>Whether a step is under way.</summary>
    public bool IsBusy => plan is not null;

    /// <summary>Whether its cache has changed, and an announcement of that is not under way.</summary>
    public bool HasNews => changes is { IsEmpty: false } && !IsAnnouncing;

    /// <summary>Whether an announcement is under way.</summary>
    public bool IsAnnouncing { get; set; }

    /// <summary>Takes a request.</summary>
    public void Submit(SimulatedRequest request)
    {
        requests.Add(request.Sequence, request);
        scheduler.Submit(request.Sequence);
        State.QueuedTokens += request.Expected;
        Report();
    }

    /// <summary>Begins a step.</summary>
    /// <returns>Seconds that it takes; −1: there is nothing to do.</returns>
    public double Begin()
    {
        if (!scheduler.TryPlan(out var planned, pace.Tokens(scheduler.IsDecoding))) return -1;
        plan = planned;
        var (cached, replies) = (0, 0);
        foreach (var chunk in plan.Chunks)
        {
            var sequence = chunk.Sequence;
            if (chunk.LogitRow >= 0 && chunk.Count == 1 && chunk.Start >= sequence.PromptLength)
            {
                replies++;
                continue;
            }
            var request = requests[sequence];
            if (chunk.Start == sequence.Cached) cached += sequence.Cached;
            if (!request.HasStarted) tally.Start(request);
        }
        step = (plan.Tokens.Length - replies, replies, 0);
        step.Seconds = spec.Cost.Step(step.Prompts, step.Replies, cached);
        Report();
        return step.Seconds;
    }

    /// <summary>Ends the step that is under way.</summary>
    /// <param name="now">When.</param>
    /// <returns>Requests that have all their tokens; void with the next step's end.</returns>
    public IReadOnlyList<SimulatedRequest> End(double now)
    {
        ended.Clear();
        foreach (var chunk in plan!.Chunks)
        {
            var request = requests[chunk.Sequence];
            // What is reported is what a replica can know: what was thought to be missing, less what is computed.
            var done = chunk.LogitRow >= 0 ? request.Expected : Math.Min(request.Expected, chunk.Count);
            request.Expected -= done;
            State.QueuedTokens -= done;
            if (chunk.LogitRow < 0) continue;
            tally.Token(request, now);
            chunk.Sequence.Tokens.Add(request.NextToken());
            if (request.IsOver) ended.Add(request);
        }
        scheduler.Return(plan);
        plan = null;
        foreach (var request in ended)
        {
            scheduler.Remove(request.Sequence);
            requests.Remove(request.Sequence);
        }
        pace.Observe(step.Prompts, step.Replies, TimeSpan.FromSeconds(step.Seconds));
        tally.Step(step.Prompts, step.Seconds);
        Report();
        return ended;
    }

    /// <summary>Tells what has changed in its cache.</summary>
    public BlockAnnouncement Announce()
    {
        IsAnnouncing = false;
        came.Clear();
        went.Clear();
        changes!.Drain(came, went);
        return new BlockAnnouncement(State.Name, 1) { Stored = came, Removed = went };
    }

    /// <summary>Times a sequence had to give its blocks back.</summary>
    public long Preemptions => scheduler.Preemptions;

    /// <summary>Whether it can ever hold a sequence of so many tokens.</summary>
    public bool Holds(long tokens) => tokens <= scheduler.Capacity;

    private void Report() => (State.Running, State.Waiting) = (scheduler.Running, scheduler.Waiting);
}
