using Quilt.Cluster.Routing;
using Quilt.Runtime.Scheduling;

namespace Quilt.Cluster.Simulation;

/// <summary>
/// Runs a trace through a cluster in virtual time: arrivals, steps and announcements, one after the other, in the order of their times. The router
/// and the replicas' schedulers are the real ones. The same trace, cluster and policy give the same figures.
/// </summary>
internal sealed class Simulation
{
    private readonly ClusterSpec spec;
    private readonly IReadOnlyList<TraceRequest> trace;
    private readonly VirtualTime time = new();
    private readonly SimulationTally tally = new();
    private readonly PriorityQueue<(EventKind Kind, int Who), (double At, long Order)> events = new();
    private readonly Stack<Sequence> sequences = [];
    private readonly List<int> tokens = [];
    private readonly List<int>?[] followers;
    private readonly BlockDirectory directory = new();
    private readonly RoutingPolicy policy;
    private readonly SimulatedReplica[] replicas;
    private readonly ReplicaState[] states;
    private readonly QueryRates? rates;
    private readonly Dictionary<ReplicaState, int> places;
    private readonly bool needsText, needsBlocks;
    private long order;

    private Simulation(ClusterSpec spec, IReadOnlyList<TraceRequest> trace, string policy)
    {
        spec.Validate();
        (this.spec, this.trace) = (spec, trace);
        this.policy = RoutingPolicies.Named(policy, spec.Routing with { Directory = directory, Time = time, BlockTokens = spec.BlockTokens });
        needsBlocks = this.policy is PrefixPolicy or KvAwarePolicy;
        needsText = this.policy is PrefixAwarePolicy or CacheAwarePolicy;
        replicas = [.. Enumerable.Range(0, spec.Replicas).Select(i => new SimulatedReplica($"replica-{i:00000}", spec, tally, needsBlocks))];
        states = [.. replicas.Select(replica => replica.State)];
        places = states.Index().ToDictionary(one => one.Item, one => one.Index);
        rates = needsBlocks && this.policy is PrefixPolicy ? null : new QueryRates(states);
        followers = Followers(trace);
    }

    private enum EventKind
    {
        /// <summary>A request comes.</summary>
        Arrival,

        /// <summary>A replica's step ends.</summary>
        Step,

        /// <summary>What changed in a replica's cache becomes known.</summary>
        News,
    }

    /// <summary>Runs a trace.</summary>
    /// <exception cref="ArgumentException">The cluster or the policy is none.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static SimulationResult Run(ClusterSpec spec, IReadOnlyList<TraceRequest> trace, string policy, CancellationToken cancel = default)
    {
        var simulation = new Simulation(spec, trace, policy);
        simulation.Run(cancel);
        return simulation.tally.Result(policy, spec, simulation.replicas.Sum(replica => replica.Preemptions));
    }

    private void Run(CancellationToken cancel)
    {
        for (var i = 0; i < trace.Count; i++)
        {
            if (trace[i].After is null) At(trace[i].At, EventKind.Arrival, i);
        }
        while (events.TryDequeue(out var next, out var when))
        {
            cancel.ThrowIfCancellationRequested();
            time.Now = when.At;
            switch (next.Kind)
            {
                case EventKind.Arrival: Arrive(next.Who); break;
                case EventKind.Step: End(next.Who); break;
                default: directory.Announce(replicas[next.Who].Announce()); break;
            }
        }
    }

    private void Arrive(int number)
    {
        var asked = trace[number];
        tally.Arrived(time.Now);
        TraceContent.Fill(asked, tokens);
        if (!replicas[0].Holds(tokens.Count + (long)asked.Reply.Tokens))
        {
            Refuse(number);
            return;
        }
        if (!sequences.TryPop(out var sequence)) sequence = new Sequence();
        sequence.Begin(tokens);
        if (asked.Tenant is { } tenant) sequence.CacheKeys = ["tenant", tenant, ""];
        // As the engine does: whatever the policy, blocks are hashed at the door.
        sequence.Hash((tokens.Count - 1) / spec.BlockTokens, spec.BlockTokens);
        var request = new SimulatedRequest(asked, number, time.Now, sequence);
        rates?.Tell(time.Now);
        var choice = policy.Pick(new RoutingRequest
        {
            Model = SimulatedRequest.Model,
            Tenant = asked.Tenant,
            Session = asked.Session,
            Text = needsText ? TraceContent.Text(tokens) : "",
            Tokens = tokens.Count,
            Blocks = needsBlocks ? sequence.Hashes : [],
            MaxTokens = asked.Reply.Tokens,
        }, states);
        if (choice.Replica is null)
        {
            sequences.Push(sequence);
            Refuse(number);
            return;
        }
        var place = places[choice.Replica];
        rates?.Sent(place, time.Now);
        request.Expected = tokens.Count - (needsBlocks ? Math.Min(choice.Matched, tokens.Count - 1) : 0);
        replicas[place].Submit(request);
        if (!replicas[place].IsBusy) Begin(place);
    }

    private void Begin(int place)
    {
        if (replicas[place].Begin() is >= 0 and var seconds) At(time.Now + seconds, EventKind.Step, place);
        if (!replicas[place].HasNews) return;
        replicas[place].IsAnnouncing = true;
        At(time.Now + spec.AnnounceSeconds, EventKind.News, place);
    }

    private void End(int place)
    {
        foreach (var request in replicas[place].End(time.Now))
        {
            tally.Ended(time.Now);
            sequences.Push(request.Sequence);
            foreach (var follower in followers[request.Number] ?? [])
                At(Math.Max(trace[follower].At, time.Now + trace[follower].Delay), EventKind.Arrival, follower);
        }
        Begin(place);
    }

    // Nobody waits for an answer that never comes: who would have followed is refused too.
    private void Refuse(int number)
    {
        var open = new Stack<int>([number]);
        while (open.TryPop(out var refused))
        {
            tally.Refused();
            foreach (var follower in followers[refused] ?? []) open.Push(follower);
        }
    }

    private void At(double when, EventKind kind, int who) => events.Enqueue((kind, who), (when, order++));

    private static List<int>?[] Followers(IReadOnlyList<TraceRequest> trace)
    {
        var followers = new List<int>?[trace.Count];
        var numbers = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < trace.Count; i++)
        {
            if (trace[i].After is { } after) (followers[numbers[after]] ??= []).Add(i);
            numbers[trace[i].Id] = i;
        }
        return followers;
    }
}
