using System.Diagnostics;

namespace Quilt.Runtime.Kv;

/// <summary>
/// From the hash of a block to a block that holds its keys and values. Several blocks may hold the same tokens: two sequences that were read side by
/// side keep their own; the one published first is found. Knows nothing of who holds a block. One thread; every operation takes constant time.
/// </summary>
/// <param name="blocks">Blocks there are.</param>
/// <param name="blockTokens">Tokens in a block.</param>
internal sealed class PrefixIndex(int blocks, int blockTokens)
{
    private const int Nobody = -1, Unpublished = -2;

    private readonly Dictionary<BlockHash, int> first = [];
    private readonly BlockHash[] hashes = new BlockHash[blocks];
    private readonly int[] tokens = new int[checked((long)blocks * blockTokens)];
    private readonly int[] next = Filled(blocks);            // another block of the same hash, published later; Unpublished: it has no hash
    private readonly int[] previous = new int[blocks];       // one published earlier

    /// <summary>Tokens in a block.</summary>
    public int BlockTokens => blockTokens;

    /// <summary>Blocks that can be found, duplicates included.</summary>
    public int Count { get; private set; }

    /// <summary>Where what comes and goes is noted down; null: nowhere.</summary>
    public PrefixChanges? Changes { get; set; }

    /// <summary>Whether a block can be found.</summary>
    public bool IsPublished(int block) => next[block] != Unpublished;

    /// <summary>Makes a block known under its hash; nothing where it is known.</summary>
    /// <param name="block">The block, which holds or will hold by the end of this step the keys and values of <paramref name="content"/>.</param>
    /// <param name="hash">Its hash, <see cref="BlockHasher.Next"/>.</param>
    /// <param name="content">[block tokens].</param>
    public void Publish(int block, BlockHash hash, ReadOnlySpan<int> content)
    {
        Debug.Assert(content.Length == blockTokens, "prefix index: only full blocks");
        if (IsPublished(block)) return;
        hashes[block] = hash;
        content.CopyTo(tokens.AsSpan(block * blockTokens));
        (next[block], previous[block]) = (Nobody, Nobody);
        Count++;
        if (first.TryAdd(hash, block))
        {
            Changes?.Came(hash);
            return;
        }
        // Second in line behind the one that is found.
        var head = first[hash];
        (previous[block], next[block]) = (head, next[head]);
        if (next[head] >= 0) previous[next[head]] = block;
        next[head] = block;
    }

    /// <summary>The block of a hash; −1 where there is none, or where its tokens are others, which a hash alone could not tell.</summary>
    public int Find(BlockHash hash, ReadOnlySpan<int> content) =>
        first.TryGetValue(hash, out var block) && tokens.AsSpan(block * blockTokens, blockTokens).SequenceEqual(content) ? block : Nobody;

    /// <summary>A block is about to hold something else: it is found no more.</summary>
    public void Withdraw(int block)
    {
        if (!IsPublished(block)) return;
        var (before, after) = (previous[block], next[block]);
        if (before >= 0) next[before] = after;
        else if (after >= 0) first[hashes[block]] = after;
        else
        {
            first.Remove(hashes[block]);
            Changes?.Went(hashes[block]);
        }
        if (after >= 0) previous[after] = before;
        next[block] = Unpublished;
        Count--;
    }

    private static int[] Filled(int count)
    {
        var array = new int[count];
        Array.Fill(array, Unpublished);
        return array;
    }
}
