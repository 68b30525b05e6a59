using System.Runtime.InteropServices;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Kv.Tiers;

namespace Quilt.Runtime.Scheduling;

/// <summary>
/// Looks for the beginnings of sequences behind the cache, in the tiers, and brings them into free blocks of it. What has come is published like what
/// was computed, so that the scheduler finds it where it finds everything else; while it comes, its sequence is stepped over. Whatever does not come
/// is computed. The engine's thread alone. (docs/kv-tiers.md)
/// </summary>
/// <param name="pool">The blocks.</param>
/// <param name="mayHold">Whether it is worth asking the tiers for a block.</param>
/// <param name="start">Starts a load; <see cref="Finish"/> is called when it has ended, later.</param>
internal sealed class PrefixLoads(KvBlockPool pool, Func<BlockHash, bool> mayHold, Action<TierLoad> start)
{
    private readonly int blockTokens = pool.BlockTokens;
    private readonly List<TierLoad> underway = [];

    /// <summary>Loads that have not ended.</summary>
    public int Underway => underway.Count;

    /// <summary>
    /// Whether a sequence that waits has to be stepped over: what it begins with is being loaded, for itself or for another one, or would be from now
    /// on. Each sequence asks the tiers once for each time it is admitted.
    /// </summary>
    /// <param name="sequence">A sequence for which there is room.</param>
    /// <param name="hits">The blocks of it that are in the cache.</param>
    public bool Awaits(Sequence sequence, List<int> hits)
    {
        if (sequence.Load is { } own) return !own.IsDone;
        if (sequence.WantsPromptLogits) return false;
        var most = (sequence.Tokens.Count - 1) / blockTokens;
        if (hits.Count >= most) return false;
        sequence.Hash(most, blockTokens);
        foreach (var other in underway)
        {
            if (!other.IsAbandoned && other.Hashes.AsSpan().Contains(sequence.Hashes[hits.Count])) return true;
        }
        var count = 0;
        while (hits.Count + count < most && mayHold(sequence.Hashes[hits.Count + count])) count++;
        return count > 0 && TryBegin(sequence, hits, count);
    }

    /// <summary>A load has ended: what has come can be found from now on.</summary>
    public void Finish(TierLoad load)
    {
        underway.Remove(load);
        load.IsDone = true;
        for (var i = 0; i < load.Found.Count && !load.IsAbandoned; i++)
            pool.Prefixes.Publish(load.Table[load.Start + i], load.Hashes[i], load.Tokens.AsSpan(i * blockTokens, blockTokens));
        pool.Release(load.Table);
    }

    /// <summary>What is underway must not be found any more.</summary>
    public void Abandon()
    {
        foreach (var load in underway) load.IsAbandoned = true;
    }

    private bool TryBegin(Sequence sequence, List<int> hits, int count)
    {
        // The blocks before are held too: without them what comes could not be found.
        var table = new List<int>(hits.Count + count);
        foreach (var block in hits) pool.Share(block);
        table.AddRange(hits);
        if (!pool.TryAllocate(count, table))
        {
            pool.Release(table);
            return false;
        }
        var first = hits.Count * blockTokens;
        var load = new TierLoad(hits.Count, CollectionsMarshal.AsSpan(sequence.Hashes).Slice(hits.Count, count).ToArray(),
            CollectionsMarshal.AsSpan(sequence.Tokens).Slice(first, count * blockTokens).ToArray(), table);
        sequence.Load = load;
        underway.Add(load);
        start(load);
        return true;
    }
}
