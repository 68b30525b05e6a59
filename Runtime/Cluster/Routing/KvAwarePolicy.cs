namespace Quilt.Cluster.Routing;

/// <summary>
/// <c>kvaware</c>: whoever holds the most of the prompt's blocks; where too much is missing, as <c>session</c>. (vLLM's production-stack, which takes
/// the first holder it hears of; here it is the one that holds most.)
/// </summary>
internal sealed class KvAwarePolicy(RoutingOptions options) : RoutingPolicy
{
    private readonly SessionRing ring = new();
    private readonly List<PrefixMatch> found = [];

    /// <inheritdoc/>
    public override string Name => "kvaware";

    /// <inheritdoc/>
    protected override RoutingChoice Choose(RoutingRequest request, Roster roster)
    {
        options.Directory.Find(request.Blocks, options.TierCosts, found);
        var (best, blocks) = (-1, 0);
        foreach (var match in found)
        {
            var place = roster.PlaceOf(match.Replica);
            // Of equals the first by name: the directory's order is nobody's.
            if (place < 0 || match.Blocks < blocks || (match.Blocks == blocks && place > best)) continue;
            (best, blocks) = (place, match.Blocks);
        }
        var matched = blocks * options.BlockTokens;
        if (best < 0 || matched < Math.Max(request.Tokens - options.KvThreshold, 0)) return ring.Choose(request, roster);
        return new(roster[best], RoutingReason.Prefix) { Matched = matched };
    }
}
