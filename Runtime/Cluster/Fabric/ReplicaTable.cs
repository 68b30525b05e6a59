using Quilt.Runtime.Kv;

namespace Quilt.Cluster.Fabric;

/// <summary>A model's replicas as they have announced themselves. Soft: what is not said again is forgotten. One thread.</summary>
/// <param name="options">How long a silent replica counts as there.</param>
/// <param name="time">The clock.</param>
internal sealed class ReplicaTable(ClusterOptions options, TimeProvider time)
{
    /// <summary>Announcements that may be missed before a replica counts as lost.</summary>
    private const int Missed = 6;

    private readonly Dictionary<SiloAddress, Entry> entries = [];
    private readonly ReplicaChoice choice = new();

    /// <summary>Takes an announcement.</summary>
    /// <returns>Whether its changes follow on what is known; if not, all of the cache is wanted.</returns>
    public bool Take(ReplicaReport report, BlockChanges changes)
    {
        Forget();
        // A process that was started anew has a new address: its predecessor of the same name is gone.
        foreach (var old in entries.Values.Where(one => one.Report.Node == report.Node && one.Report.Silo != report.Silo).ToArray())
            entries.Remove(old.Report.Silo);
        if (!entries.TryGetValue(report.Silo, out var entry)) entries.Add(report.Silo, entry = new Entry { Report = report });
        (entry.Report, entry.Heard, entry.IsSuspect, entry.Sent) = (report, time.GetTimestamp(), false, 0);
        return entry.Take(changes);
    }

    /// <summary>A replica did not answer.</summary>
    public void Suspect(SiloAddress silo)
    {
        if (entries.TryGetValue(silo, out var entry)) entry.IsSuspect = true;
    }

    /// <summary>Those that are there, draining or not.</summary>
    public ReplicaReport[] Live() => [.. entries.Values.Where(entry => !IsLost(entry)).Select(entry => entry.Report)];

    /// <summary>All, lost ones too while they are remembered.</summary>
    public ReplicaSeen[] All()
    {
        Forget();
        return [.. entries.Values.Select(entry => new ReplicaSeen(entry.Report, entry.Blocks.Count, IsLost(entry))).OrderBy(seen => seen.Report.Node,
            StringComparer.Ordinal)];
    }

    /// <summary>Those that may be asked, the best first; never one that is lost or draining.</summary>
    public ReplicaReport[] Order(RouteQuestion question)
    {
        var candidates = entries.Values.Where(entry => !IsLost(entry) && !entry.Report.IsDraining && Fits(entry.Report.Role, question.Purpose))
            .Select(entry => new ReplicaCandidate(
                entry.Report, entry.Matched(question.Blocks), entry.Report.Running + entry.Report.Waiting + entry.Sent))
            .ToArray();
        var ordered = choice.Order(options.Policy, question, candidates);
        // Until it next speaks of its load it has at least this one more.
        if (ordered.Length > 0) entries[ordered[0].Silo].Sent++;
        return ordered;
    }

    // A process of one role does the other's work only where nobody else can: the door tries Both first.
    private static bool Fits(ClusterRole role, ClusterRole purpose) => purpose == ClusterRole.Both || role == ClusterRole.Both || role == purpose;

    private bool IsLost(Entry entry) => entry.IsSuspect || Age(entry) > Missed * options.AnnounceInterval + options.Silence;

    private void Forget()
    {
        foreach (var entry in entries.Values.Where(entry => Age(entry) > TimeSpan.FromMinutes(1)).ToArray()) entries.Remove(entry.Report.Silo);
    }

    private TimeSpan Age(Entry entry) => time.GetElapsedTime(entry.Heard);

    private sealed class Entry
    {
        private long sequence = -1;

        public required ReplicaReport Report { get; set; }

        public HashSet<BlockHash> Blocks { get; } = [];

        public long Heard { get; set; }

        public bool IsSuspect { get; set; }

        public int Sent { get; set; }

        public bool Take(BlockChanges changes)
        {
            if (changes.Sequence == 0) Blocks.Clear();
            else if (sequence < 0 || changes.Sequence != sequence + 1) return false;
            sequence = changes.Sequence;
            foreach (var hash in BlockList.Read(changes.Removed)) Blocks.Remove(hash);
            foreach (var hash in BlockList.Read(changes.Stored)) Blocks.Add(hash);
            return true;
        }

        /// <summary>Leading blocks of a prompt that it has.</summary>
        public int Matched(byte[] prompt)
        {
            var matched = 0;
            foreach (var hash in BlockList.Read(prompt))
            {
                if (!Blocks.Contains(hash)) break;
                matched++;
            }
            return matched;
        }
    }
}
