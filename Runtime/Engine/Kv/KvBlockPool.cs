namespace Quilt.Runtime.Kv;

/// <summary>
/// Deals the ids of cache blocks, with reference counts. Owns no memory, so all of paging can be tested without a device. One thread.
/// </summary>
internal sealed class KvBlockPool
{
    private readonly int[] references;
    private readonly int[] free;
    private int freeCount;

    /// <summary>A pool of ids 0 .. <paramref name="blocks"/> − 1, all free.</summary>
    public KvBlockPool(int blocks)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(blocks, 1);
        references = new int[blocks];
        free = new int[blocks];
        // Low ids first: a small load touches little memory.
        for (var i = 0; i < blocks; i++) free[i] = blocks - 1 - i;
        freeCount = blocks;
    }

    /// <summary>Blocks there are.</summary>
    public int Blocks => references.Length;

    /// <summary>Blocks nobody holds.</summary>
    public int Free => freeCount;

    /// <summary>
    /// Takes <paramref name="count"/> blocks and appends their ids to <paramref name="table"/>; takes none if there are not enough.
    /// </summary>
    public bool TryAllocate(int count, List<int> table)
    {
        if (count > freeCount) return false;
        for (var i = 0; i < count; i++)
        {
            var block = free[--freeCount];
            references[block] = 1;
            table.Add(block);
        }
        return true;
    }

    /// <summary>One more holder of a block that is held.</summary>
    /// <exception cref="InvalidOperationException">Nobody holds it.</exception>
    public void Share(int block)
    {
        if (references[block] == 0) throw new InvalidOperationException($"Block {block} is free and cannot be shared.");
        references[block]++;
    }

    /// <summary>One holder less; the last one's leaving frees the block.</summary>
    /// <exception cref="InvalidOperationException">Nobody holds it.</exception>
    public void Release(int block)
    {
        if (references[block] == 0) throw new InvalidOperationException($"Block {block} is already free.");
        if (--references[block] == 0) free[freeCount++] = block;
    }

    /// <summary>Releases all blocks of a table, last first, and empties it.</summary>
    public void Release(List<int> table)
    {
        for (var i = table.Count - 1; i >= 0; i--) Release(table[i]);
        table.Clear();
    }
}
