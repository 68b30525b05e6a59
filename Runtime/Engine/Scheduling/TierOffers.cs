using Quilt.Runtime.Kv;
using Quilt.Runtime.Kv.Tiers;

namespace Quilt.Runtime.Scheduling;

/// <summary>
/// Blocks to be offered to the tiers: those that became full, and those that were found again, which are worth keeping. They wait until the step that
/// computes them is over and there is room for a copy; one that is dealt again before is lost, which costs no more than computing it.
/// The engine's thread alone.
/// </summary>
internal sealed class TierOffers(KvBlockPool pool, Func<BlockHash, int, bool> tryOffer)
{
    private readonly Queue<int> waiting = new();
    private readonly bool[] waits = new bool[pool.Blocks];

    /// <summary>How many wait.</summary>
    public int Count => waiting.Count;

    /// <summary>One more; it is published.</summary>
    public void Add(int block)
    {
        if (waits[block]) return;
        waits[block] = true;
        waiting.Enqueue(block);
    }

    /// <summary>Offers what waits, as much as is taken. Between two steps.</summary>
    public void Send()
    {
        while (waiting.TryPeek(out var block))
        {
            if (pool.Prefixes.IsPublished(block) && !tryOffer(pool.Prefixes.HashOf(block), block)) return;
            waiting.Dequeue();
            waits[block] = false;
        }
    }

    /// <summary>Offers nothing of what waits.</summary>
    public void Clear()
    {
        foreach (var block in waiting) waits[block] = false;
        waiting.Clear();
    }
}
