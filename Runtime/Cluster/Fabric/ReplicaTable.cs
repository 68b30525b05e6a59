using Quilt.Cluster.Routing;

namespace Quilt.Cluster.Fabric;

/// <summary>A model's replicas as they have announced themselves. Soft: what is not said again is forgotten. One thread.</summary>
/// <param name="options">By what a replica is chosen, and how long a silent one counts as there.</param>
/// <param name="time">The clock.</param>
internal sealed class ReplicaTable(ClusterOptions options, TimeProvider time)
{
    /// <summary>Announcements that may be missed before a replica counts as lost.</summary>
    private const int Missed = 6;

    private readonly Dictionary<string, Entry> entries = new(StringComparer.Ordinal);
    private readonly RoutingOptions routing = new() { Time = time };
    private RoutingPolicy? policy;

    /// <summary>Takes an announcement.</summary>
    /// <returns>Whether its changes follow on what is known; if not, all of the cache is wanted.</returns>
    public bool Take(ReplicaReport report, BlockChanges changes)
    {
        Forget(entry => Age(entry) > TimeSpan.FromMinutes(1));
        // A process that was started anew has a new address: its predecessor of the same name is gone.
        Forget(entry => entry.Report.Node == report.Node && !entry.Report.Silo.Equals(report.Silo));
        var name = NameOf(report.Silo);
        if (!entries.TryGetValue(name, out var entry)) entries.Add(name, entry = new Entry { Report = report, Name = name });
        (entry.Report, entry.Heard, entry.IsSuspect, entry.Sent) = (report, time.GetTimestamp(), false, 0);
        return entry.Take(changes, routing.Directory);
    }

    /// <summary>A replica did not answer.</summary>
    public void Suspect(SiloAddress silo)
    {
        if (entries.TryGetValue(NameOf(silo), out var entry)) entry.IsSuspect = true;
    }

    /// <summary>Those that are there, draining or not.</summary>
    public ReplicaReport[] Live() => [.. entries.Values.Where(entry => !IsLost(entry)).Select(entry => entry.Report)];

    /// <summary>All, lost ones too while they are remembered.</summary>
    public ReplicaSeen[] All()
    {
        Forget(entry => Age(entry) > TimeSpan.FromMinutes(1));
        return [.. entries.Values.Select(entry => new ReplicaSeen(entry.Report, entry.Known, IsLost(entry)))
            .OrderBy(seen => seen.Report.Node, StringComparer.Ordinal)];
    }

    /// <summary>Those that may be asked: the policy's choice, then the others, the least busy first; never one that is lost or draining.</summary>
    public ReplicaReport[] Order(RouteQuestion question)
    {
        if (entries.Count == 0) return [];
        var states = entries.Values.Select(StateOf).ToArray();
        var request = new RoutingRequest
        {
            Model = states[0].Model, Text = question.Text, Tokens = question.PromptTokens, MaxTokens = question.MaxTokens,
            Session = question.Session, Blocks = [.. BlockList.Read(question.Blocks)],
            Role = question.Purpose == ClusterRole.Prefill ? ReplicaRole.Prefill : ReplicaRole.Decode,
        };
        policy ??= RoutingPolicies.Named(options.Policy, routing);
        var first = policy.Pick(request, states).Replica;
        // Until it next speaks of its load it has at least this one more.
        if (first is not null) entries[first.Name].Sent++;
        var others = states.Where(state => state != first && state.Takes(request, request.Role)).OrderBy(state => state.Load);
        return [.. (first is null ? others : others.Prepend(first)).Select(state => entries[state.Name].Report)];
    }

    private ReplicaState StateOf(Entry entry) => new()
    {
        Name = entry.Name,
        Model = entry.Report.Model,
        Role = entry.Report.Role switch
        {
            ClusterRole.Prefill => ReplicaRole.Prefill,
            ClusterRole.Decode => ReplicaRole.Decode,
            _ => ReplicaRole.Both,
        },
        Running = entry.Report.Running,
        Waiting = entry.Report.Waiting + entry.Sent,
        Alive = !IsLost(entry),
        Draining = entry.Report.IsDraining,
    };

    private bool IsLost(Entry entry) => entry.IsSuspect || Age(entry) > (Missed * options.AnnounceInterval) + options.Silence;

    private void Forget(Func<Entry, bool> which)
    {
        foreach (var entry in entries.Values.Where(which).ToArray())
        {
            entries.Remove(entry.Name);
            routing.Directory.Forget(entry.Name);
        }
    }

    private TimeSpan Age(Entry entry) => time.GetElapsedTime(entry.Heard);

    private static string NameOf(SiloAddress silo) => silo.ToParsableString();

    private sealed class Entry
    {
        private long sequence = -1;

        public required string Name { get; init; }

        public required ReplicaReport Report { get; set; }

        /// <summary>Blocks that it is known to have.</summary>
        public int Known { get; private set; }

        public long Heard { get; set; }

        public bool IsSuspect { get; set; }

        /// <summary>Requests that were sent there since it last spoke of its load.</summary>
        public int Sent { get; set; }

        public bool Take(BlockChanges changes, BlockDirectory directory)
        {
            if (changes.Sequence != 0 && (sequence < 0 || changes.Sequence != sequence + 1)) return false;
            sequence = changes.Sequence;
            var news = new BlockAnnouncement(Name, 0)
            {
                Cleared = sequence == 0, Removed = [.. BlockList.Read(changes.Removed)], Stored = [.. BlockList.Read(changes.Stored)],
            };
            Known = (sequence == 0 ? 0 : Known - news.Removed.Count) + news.Stored.Count;
            directory.Announce(news);
            return true;
        }
    }
}
