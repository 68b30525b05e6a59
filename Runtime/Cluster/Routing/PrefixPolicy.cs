using System.IO.Hashing;
using System.Runtime.InteropServices;
using Quilt.Runtime.Kv;

namespace Quilt.Cluster.Routing;

/// <summary>
/// <c>prefix</c>, the default: the replica where the prompt is done first. What a replica has to do before is counted in tokens of prompts, and so is
/// what it has still to compute of this one: what it announced of the prompt's blocks, tokens after templating, counts by the tier it lies in. Where
/// nobody has any of it the first blocks' hash leads to a replica, so that who comes next with the same beginning finds it there; past such as have
/// more than their share to do.
/// </summary>
internal sealed class PrefixPolicy(RoutingOptions options) : RoutingPolicy
{
    /// <summary>Blocks that decide where a prompt goes that nobody knows: enough to tell applications apart.</summary>
    private const int FirstBlocks = 4;

    /// <summary>What a replica without a free place counts for, for each request before this one.</summary>
    private const long Full = 4096;

    private readonly List<PrefixMatch> found = [];
    private double[] saved = [];                             // by place: tokens of the prompt that it need not compute; 0 between picks
    private int[] blocks = [];
    private ulong[] names = [];
    private int version = -1;
    private int start;

    /// <inheritdoc/>
    public override string Name => "prefix";

    /// <inheritdoc/>
    protected override RoutingChoice Choose(RoutingRequest request, Roster roster)
    {
        if (version != roster.Version) Meet(roster);
        options.Directory.Find(request.Blocks, options.TierCosts, found);
        var isKnown = false;
        foreach (var match in found)
        {
            var place = roster.PlaceOf(match.Replica);
            if (place < 0) continue;
            (saved[place], blocks[place]) = (match.Worth * options.BlockTokens, match.Blocks);
            isKnown = true;
        }
        if (!isKnown && request.Blocks.Count > 0) return ByHash(request.Blocks[Math.Min(FirstBlocks, request.Blocks.Count) - 1], roster);

        // Where even the idlest is busy, what is computed twice makes all wait: then more is waited for what is there.
        var idlest = double.PositiveInfinity;
        for (var i = 0; i < roster.Count; i++) idlest = Math.Min(idlest, Cost(roster[i]));
        var weight = options.BusyTokens == 0 ? 1 : 1 + (idlest / options.BusyTokens);
        // Equals take turns.
        start = (start + 1) % roster.Count;
        var (best, least) = (start, Cost(roster[start]) - (weight * saved[start]));
        for (var i = 0; i < roster.Count; i++)
        {
            if (Cost(roster[i]) - (weight * saved[i]) is var cost && cost < least) (best, least) = (i, cost);
        }
        var matched = blocks[best] * options.BlockTokens;
        foreach (var match in found)
        {
            if (roster.PlaceOf(match.Replica) is >= 0 and var place) (saved[place], blocks[place]) = (0, 0);
        }
        return new(roster[best], matched > 0 ? RoutingReason.Prefix : RoutingReason.LeastLoad) { Matched = matched };
    }

    // Tokens of prompts that stand before a new one, or weigh as much.
    private double Cost(ReplicaState replica) =>
        replica.QueuedTokens + ((double)options.SequenceTokens * replica.Load) + (Full * Math.Max(0L, replica.Load + 1 - replica.Capacity));

    // Rendezvous: the replica whose name makes the largest hash with the key. Who leaves moves no key but its own.
    private RoutingChoice ByHash(BlockHash key, Roster roster)
    {
        var total = 0.0;
        for (var i = 0; i < roster.Count; i++) total += Cost(roster[i]);
        var bound = (1.25 * total / roster.Count) + (options.SequenceTokens * 4);
        var (best, largest) = (-1, 0UL);
        for (var i = 0; i < roster.Count; i++)
        {
            if (Cost(roster[i]) > bound || Mix(key.A ^ names[i]) is var hash && best >= 0 && hash <= largest) continue;
            (best, largest) = (i, Mix(key.A ^ names[i]));
        }
        // Someone is always at or below the mean.
        return new(roster[best], RoutingReason.Hash);
    }

    // The last steps of MurmurHash3: every bit of the key moves every bit of the hash.
    private static ulong Mix(ulong key)
    {
        key = (key ^ (key >> 33)) * 0xFF51AFD7ED558CCD;
        key = (key ^ (key >> 33)) * 0xC4CEB9FE1A85EC53;
        return key ^ (key >> 33);
    }

    private void Meet(Roster roster)
    {
        (saved, blocks, names) = (new double[roster.Count], new int[roster.Count], new ulong[roster.Count]);
        for (var i = 0; i < names.Length; i++) names[i] = XxHash64.HashToUInt64(MemoryMarshal.AsBytes(roster[i].Name.AsSpan()));
        version = roster.Version;
    }
}
