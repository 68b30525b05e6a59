namespace Quilt.Cluster.Routing;

/// <summary>
/// <c>cache_aware</c>: with uneven loads the shortest queue; else whoever was given most of the text, if that is a good part of it; else the replica
/// of which the least is remembered. (SGLang's router)
/// </summary>
internal sealed class CacheAwarePolicy(RoutingOptions options) : RoutingPolicy
{
    private readonly RadixTree tree = new();
    private readonly RosterNumbers numbers = new();
    private int[] loads = [];
    private int version = -1;
    private long evicted = options.Time.GetTimestamp();

    /// <inheritdoc/>
    public override string Name => "cache_aware";

    /// <summary>Whether loads are so uneven that caches do not count: both bounds are passed.</summary>
    public static bool IsUneven(int max, int min, int absolute, double relative) => max - min > absolute && max > relative * min;

    /// <inheritdoc/>
    protected override RoutingChoice Choose(RoutingRequest request, Roster roster)
    {
        Evict();
        var members = numbers.Of(roster);
        if (version != roster.Version) Meet(members, roster.Version);
        var (least, most) = (0, 0);
        for (var i = 0; i < members.Length; i++)
        {
            loads[members[i]] = roster[i].Load;
            if (roster[i].Load < roster[least].Load) least = i;
            if (roster[i].Load > roster[most].Load) most = i;
        }
        var choice = IsUneven(roster[most].Load, roster[least].Load, options.BalanceAbsolute, options.BalanceRelative)
            ? new RoutingChoice(roster[least], RoutingReason.LeastLoad)
            : ByText(request.Text, roster, members);
        tree.Insert(request.Text, numbers.Of(choice.Replica!.Name));
        return choice;
    }

    private RoutingChoice ByText(string text, Roster roster, ReadOnlySpan<int> members)
    {
        var units = tree.Match(text, loads, out var holder);
        var (matched, all) = (CodePoints.Count(text.AsSpan(0, units)), CodePoints.Count(text));
        if (holder >= 0 && (double)matched / all > options.CacheThreshold)
            return new(roster[roster.PlaceOf(numbers.NameOf(holder))], RoutingReason.Prefix) { Matched = matched };
        var smallest = 0;
        for (var i = 1; i < members.Length; i++)
        {
            var (size, best) = (tree.SizeOf(members[i]), tree.SizeOf(members[smallest]));
            if (size < best || (size == best && roster[i].Load < roster[smallest].Load)) smallest = i;
        }
        return new(roster[smallest], RoutingReason.SmallestTree) { Matched = matched };
    }

    // Whoever is not in the roster does not come into question, and keeps its texts: it may only be draining, or be tried already.
    private void Meet(ReadOnlySpan<int> members, int now)
    {
        loads = new int[numbers.Count];
        Array.Fill(loads, -1);
        foreach (var member in members) tree.Add(member);
        version = now;
    }

    private void Evict()
    {
        if (options.Time.GetElapsedTime(evicted) < options.EvictionInterval) return;
        evicted = options.Time.GetTimestamp();
        tree.Evict(options.MaxTreeCharacters);
        // Who is away for so long has lost its cache.
        for (var tenant = 0; tenant < loads.Length; tenant++)
        {
            if (loads[tenant] < 0) tree.Remove(tenant);
        }
    }
}
