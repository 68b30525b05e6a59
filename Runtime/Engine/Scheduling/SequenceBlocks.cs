using System.Runtime.InteropServices;
using Quilt.Runtime.Kv;

namespace Quilt.Runtime.Scheduling;

/// <summary>
/// The blocks of sequences: finds what of a sequence is cached, books blocks for more of its tokens, makes full ones known, gives them back
/// (docs/scheduling.md, "A block's life").
/// </summary>
/// <param name="pool">The blocks.</param>
/// <param name="caching">Whether blocks are made known and found again.</param>
/// <param name="offers">Takes what is made known or found; null: nobody wants it.</param>
internal sealed class SequenceBlocks(KvBlockPool pool, bool caching, TierOffers? offers = null)
{
    private readonly int blockTokens = pool.BlockTokens;

    /// <summary>Blocks that so many tokens take.</summary>
    public int For(int tokens) => (tokens + blockTokens - 1) / blockTokens;

    /// <summary>
    /// Looks for the beginning of a sequence in the cache and leaves the blocks that hold it in <paramref name="hits"/>. Never its last token, after
    /// which logits are wanted, and nothing where they are wanted after every token.
    /// </summary>
    /// <returns>How many tokens were found.</returns>
    public int Find(Sequence sequence, List<int> hits)
    {
        hits.Clear();
        if (!caching || sequence.WantsPromptLogits) return 0;
        var tokens = CollectionsMarshal.AsSpan(sequence.Tokens);
        var most = (tokens.Length - 1) / blockTokens;
        for (var i = 0; i < most; i++)
        {
            sequence.Hash(i + 1, blockTokens);
            var block = pool.Prefixes.Find(sequence.Hashes[i], tokens.Slice(i * blockTokens, blockTokens));
            if (block < 0) break;
            hits.Add(block);
        }
        return hits.Count * blockTokens;
    }

    /// <summary>Blocks that must be free for a sequence to hold so many tokens of which some were found.</summary>
    public int Needed(int tokens, List<int> hits)
    {
        var needed = For(tokens) - hits.Count;
        foreach (var block in hits)
        {
            // Found, but held by nobody: it is among the free ones.
            if (pool.References(block) == 0) needed++;
        }
        return needed;
    }

    /// <summary>Gives a sequence without blocks those that were found, and new ones up to so many tokens; false, and nothing has changed, if there
    /// are too few.</summary>
    public bool TryBegin(Sequence sequence, List<int> hits, int tokens)
    {
        if (Needed(tokens, hits) > pool.Free) return false;
        foreach (var block in hits)
        {
            pool.Share(block);
            offers?.Add(block);
        }
        sequence.BlockTable.AddRange(hits);
        sequence.Computed = sequence.Cached = hits.Count * blockTokens;
        sequence.Published = hits.Count;
        return pool.TryAllocate(For(tokens) - hits.Count, sequence.BlockTable);
    }

    /// <summary>Books what a sequence needs to hold so many tokens; false, and nothing has changed, if there are too few blocks.</summary>
    public bool TryGrow(Sequence sequence, int tokens) =>
        For(tokens) - sequence.BlockTable.Count is var missing && (missing <= 0 || pool.TryAllocate(missing, sequence.BlockTable));

    /// <summary>
    /// Makes known the full blocks of what is computed, or will be by the end of the step: also to a newcomer in this very step, because in every
    /// layer all keys and values are written before any is read.
    /// </summary>
    public void Publish(Sequence sequence)
    {
        var full = Math.Min(sequence.Computed, sequence.Tokens.Count) / blockTokens;
        if (!caching || sequence.Published >= full) return;
        sequence.Hash(full, blockTokens);
        var tokens = CollectionsMarshal.AsSpan(sequence.Tokens);
        for (var i = sequence.Published; i < full; i++)
        {
            pool.Prefixes.Publish(sequence.BlockTable[i], sequence.Hashes[i], tokens.Slice(i * blockTokens, blockTokens));
            offers?.Add(sequence.BlockTable[i]);
        }
        sequence.Published = full;
    }

    /// <summary>Gives back all blocks of a sequence; those that are known keep what they hold until they are dealt again.</summary>
    public void Release(Sequence sequence)
    {
        pool.Release(sequence.BlockTable);
        (sequence.Computed, sequence.Published) = (0, 0);
    }
}
