namespace Quilt.Cluster.Routing;

/// <summary>One generation of a replica in a <see cref="BlockDirectory"/>.</summary>
internal struct Slot
{
    /// <summary>The replica.</summary>
    public string Name;

    /// <summary>Its generation.</summary>
    public long Generation;

    /// <summary>Whether a later generation began, or the replica is gone.</summary>
    public bool IsOver;

    /// <summary>Blocks it holds.</summary>
    public long Entries;
}

/// <summary>
/// Who holds one block: entries of slot · 16 + a bit for each tier. Nearly all blocks have one holder, which takes no array.
/// </summary>
internal struct Holders
{
    private const int Tiers = 15;
    private int only;
    private int[]? many;

    /// <summary>How many hold it.</summary>
    public int Count { get; private set; }

    /// <summary>The entries. Void once holders come or go.</summary>
    [System.Diagnostics.CodeAnalysis.UnscopedRef]
    public readonly ReadOnlySpan<int> All => many is null ? new ReadOnlySpan<int>(in only)[..Count] : many.AsSpan(0, Count);

    /// <summary>Adds a tier of a slot; true if the slot did not hold it before.</summary>
    public bool Add(int slot, int tier)
    {
        var at = Find(slot);
        if (at >= 0)
        {
            this[at] |= tier;
            return false;
        }
        if (Count > 0 && (many is null || Count == many.Length))
        {
            var larger = new int[Math.Max(4, 2 * Count)];
            All.CopyTo(larger);
            many = larger;
        }
        Count++;
        this[Count - 1] = slot | tier;
        return true;
    }

    /// <summary>Takes a tier of a slot out; true if the slot holds it no more.</summary>
    public bool Remove(int slot, int tier)
    {
        var at = Find(slot);
        if (at < 0) return false;
        this[at] &= ~tier;
        if ((this[at] & Tiers) != 0) return false;
        this[at] = this[Count - 1];
        Count--;
        return true;
    }

    /// <summary>Takes out the entries of slots that are over.</summary>
    /// <returns>How many.</returns>
    public int Keep(List<Slot> slots, int tierBits)
    {
        var kept = 0;
        for (var i = 0; i < Count; i++)
        {
            if (!slots[this[i] >> tierBits].IsOver) this[kept++] = this[i];
        }
        var gone = Count - kept;
        Count = kept;
        return gone;
    }

    /// <summary>Gives the slots other numbers.</summary>
    public void Renumber(int[] moved, int tierBits)
    {
        for (var i = 0; i < Count; i++) this[i] = (moved[this[i] >> tierBits] << tierBits) | (this[i] & Tiers);
    }

    private int this[int at]
    {
        readonly get => many is null ? only : many[at];
        set
        {
            if (many is null) only = value;
            else many[at] = value;
        }
    }

    private readonly int Find(int slot)
    {
        var all = All;
        for (var i = 0; i < all.Length; i++)
        {
            if ((all[i] & ~Tiers) == slot) return i;
        }
        return -1;
    }
}
