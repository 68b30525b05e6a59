namespace Quilt.Cluster.Routing;

/// <summary>
/// <c>prefixaware</c>: whoever was given the longest beginning of the text, one of them by chance; with too little in common, the replica with the
/// fewest requests a second. Looks at no load once something matches. (vLLM's production-stack)
/// </summary>
internal sealed class PrefixAwarePolicy(RoutingOptions options) : RoutingPolicy
{
    private readonly HashTrie trie = new(options.ChunkCharacters, options.MaxTrieNodes);
    private readonly RosterNumbers numbers = new();
    private readonly List<int> found = [];
    private readonly Random random = new(options.Seed);

    /// <inheritdoc/>
    public override string Name => "prefixaware";

    /// <inheritdoc/>
    protected override RoutingChoice Choose(RoutingRequest request, Roster roster)
    {
        var matched = trie.Match(request.Text, numbers.Of(roster), found);
        RoutingChoice choice;
        if (matched < options.MinMatchCharacters)
        {
            choice = new(SessionRing.LeastQueries(roster), RoutingReason.LeastQueries);
        }
        else
        {
            var place = roster.PlaceOf(numbers.NameOf(found[random.Next(found.Count)]));
            choice = new(roster[place], matched > 0 ? RoutingReason.Prefix : RoutingReason.Random) { Matched = matched };
        }
        trie.Insert(request.Text, numbers.Of(choice.Replica!.Name));
        return choice;
    }
}
