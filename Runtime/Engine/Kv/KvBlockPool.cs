namespace Quilt.Runtime.Kv;

/// <summary>
/// Deals the ids of cache blocks, with reference counts. A block that nobody holds may still be found by its hash; it keeps what it has until it is
/// dealt again, the one unused longest first. Owns no memory, so all of paging can be tested without a device. One thread; everything takes constant
/// time a block. (docs/scheduling.md, "A block's life")
/// </summary>
/// <remarks>
/// The free blocks are a queue: dealt from its head. A block that can be found goes to its tail, the last block of a sequence before its first,
/// since without the first the others cannot be found; one that cannot be found goes to its head.
/// </remarks>
internal sealed class KvBlockPool
{
    private readonly int[] references;
    private readonly int[] next;                             // in the free queue, a ring through the entry behind the last block
    private readonly int[] previous;

    /// <summary>A pool of ids 0 .. <paramref name="blocks"/> − 1, all free, to be dealt in that order.</summary>
    /// <param name="blocks">How many.</param>
    /// <param name="blockTokens">Tokens in a block.</param>
    public KvBlockPool(int blocks, int blockTokens = 16)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(blocks, 1);
        references = new int[blocks];
        (next, previous) = (new int[blocks + 1], new int[blocks + 1]);
        for (var i = 0; i <= blocks; i++) (next[i], previous[(i + 1) % (blocks + 1)]) = ((i + 1) % (blocks + 1), i);
        Free = blocks;
        Prefixes = new PrefixIndex(blocks, blockTokens);
    }

    /// <summary>Blocks there are.</summary>
    public int Blocks => references.Length;

    /// <summary>Tokens in a block.</summary>
    public int BlockTokens => Prefixes.BlockTokens;

    /// <summary>Blocks nobody holds, among them such as can be found.</summary>
    public int Free { get; private set; }

    /// <summary>Blocks that can be found by what they hold.</summary>
    public PrefixIndex Prefixes { get; }

    /// <summary>Free blocks in the order in which they will be dealt.</summary>
    public IEnumerable<int> FreeQueue
    {
        get
        {
            for (var block = next[Blocks]; block != Blocks; block = next[block]) yield return block;
        }
    }

    /// <summary>How many hold a block.</summary>
    public int References(int block) => references[block];

    /// <summary>
    /// Takes <paramref name="count"/> blocks and appends their ids to <paramref name="table"/>; takes none if there are not enough. What they held is
    /// forgotten.
    /// </summary>
    public bool TryAllocate(int count, List<int> table)
    {
        if (count > Free) return false;
        for (var i = 0; i < count; i++)
        {
            var block = next[Blocks];
            Unlink(block);
            Prefixes.Withdraw(block);
            references[block] = 1;
            table.Add(block);
        }
        return true;
    }

    /// <summary>One more holder of a block that is held, or that can be found.</summary>
    /// <exception cref="InvalidOperationException">Nobody holds it and it cannot be found.</exception>
    public void Share(int block)
    {
        if (references[block] == 0)
        {
            if (!Prefixes.IsPublished(block)) throw new InvalidOperationException($"Block {block} is free and cannot be shared.");
            Unlink(block);
        }
        references[block]++;
    }

    /// <summary>One holder less; the last one's leaving frees the block.</summary>
    /// <exception cref="InvalidOperationException">Nobody holds it.</exception>
    public void Release(int block)
    {
        if (Drop(block)) Link(block);
    }

    /// <summary>Releases all blocks of a table and empties it: those that can be found last first, so that the end of a text is lost first.</summary>
    public void Release(List<int> table)
    {
        for (var i = table.Count - 1; i >= 0; i--)
        {
            if (Drop(table[i]) && Prefixes.IsPublished(table[i])) Link(table[i]);
        }
        foreach (var block in table)
        {
            if (references[block] == 0 && !Prefixes.IsPublished(block)) Link(block);
        }
        table.Clear();
    }

    /// <summary>Forgets what free blocks hold. Blocks that are held stay known to those who hold them, but are found no more.</summary>
    public void Forget()
    {
        for (var block = 0; block < Blocks; block++) Prefixes.Withdraw(block);
    }

    private bool Drop(int block)
    {
        if (references[block] == 0) throw new InvalidOperationException($"Block {block} is already free.");
        return --references[block] == 0;
    }

    private void Unlink(int block)
    {
        (next[previous[block]], previous[next[block]]) = (next[block], previous[block]);
        Free--;
    }

    private void Link(int block)
    {
        var ring = Blocks;
        var before = Prefixes.IsPublished(block) ? previous[ring] : ring;
        (previous[block], next[block]) = (before, next[before]);
        previous[next[block]] = block;
        next[before] = block;
        Free++;
    }
}
