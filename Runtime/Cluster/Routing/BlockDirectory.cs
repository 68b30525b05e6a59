using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Quilt.Runtime.Kv;

namespace Quilt.Cluster.Routing;

/// <summary>
/// Which replica holds which blocks, by what replicas announce. Soft state: what is missing or wrong here costs a prefix that is computed again,
/// never a token. Tenants are kept apart by the hashes themselves, which begin with the tenant's salt. For any number of threads.
/// </summary>
/// <param name="maxEntries">Most pairs of block and replica; what is announced beyond that is not remembered.</param>
internal sealed class BlockDirectory(int maxEntries = 1 << 26)
{
    private const int TierBits = 4;
    private readonly Lock gate = new();
    private readonly Dictionary<string, int> slots = new(StringComparer.Ordinal);
    private readonly Dictionary<BlockHash, Holders> blocks = [];
    private readonly List<Slot> replicas = [];               // by slot; one slot for each generation of a replica
    private readonly List<int> candidates = [];
    private int[] depths = [];                               // by slot; during a search leading blocks it holds so far, else 0; −1: it is over
    private double[] paid = [];                              // by slot, during a search: what fetching these costs, in blocks
    private readonly List<BlockHash> emptied = [];
    private long dead;                                       // entries of slots that are over

    /// <summary>Pairs of block and replica it knows.</summary>
    public long Entries { get; private set; }

    /// <summary>Blocks that were announced and found no room.</summary>
    public long Dropped { get; private set; }

    /// <summary>Takes note of what a replica announces.</summary>
    public void Announce(BlockAnnouncement news)
    {
        lock (gate)
        {
            // Before slots are looked up: they get other numbers.
            if (dead > 0 && Entries + news.Stored.Count > maxEntries) Sweep();
            if (!slots.TryGetValue(news.Replica, out var slot) || replicas[slot].Generation < news.Generation)
                slot = Begin(news.Replica, news.Generation);
            if (replicas[slot].Generation > news.Generation) return;
            var bit = 1 << (int)news.Tier;
            if (news.Cleared) Clear(slot, bit);
            foreach (var hash in news.Removed) Remove(hash, slot, bit);
            foreach (var hash in news.Stored) Add(hash, slot, bit);
        }
    }

    /// <summary>Forgets what a replica holds: it is gone. A later announcement of any generation begins anew.</summary>
    public void Forget(string replica)
    {
        lock (gate)
        {
            if (slots.Remove(replica, out var slot)) End(slot);
        }
    }

    /// <summary>
    /// For every replica that holds a prompt's first block: how many leading blocks it holds. Leaves <paramref name="found"/> in no order.
    /// </summary>
    /// <param name="prompt">The prompt's block hashes from its start on.</param>
    /// <param name="costs">What a block from each tier costs.</param>
    /// <param name="found">Emptied first.</param>
    public void Find(IReadOnlyList<BlockHash> prompt, TierCosts costs, List<PrefixMatch> found)
    {
        found.Clear();
        lock (gate)
        {
            candidates.Clear();
            Span<double> costOf = [costs.Device, costs.Host, costs.Disk, costs.Remote];
            for (var depth = 0; depth < prompt.Count; depth++)
            {
                ref var holders = ref CollectionsMarshal.GetValueRefOrNullRef(blocks, prompt[depth]);
                if (Unsafe.IsNullRef(ref holders) || !Reach(holders.All, depth, costOf)) break;
            }
            foreach (var slot in candidates)
            {
                found.Add(new PrefixMatch(replicas[slot].Name, depths[slot], depths[slot] - paid[slot]));
                depths[slot] = 0;
            }
        }
    }

    // A beginning that all applications share is held by all replicas: this runs for each of its blocks and each of them.
    private bool Reach(ReadOnlySpan<int> holders, int depth, ReadOnlySpan<double> costOf)
    {
        var (reached, depths, paid) = (false, this.depths, this.paid);
        foreach (var entry in holders)
        {
            var slot = entry >> TierBits;
            if (depths[slot] != depth) continue;
            if (depth == 0)
            {
                paid[slot] = 0;
                candidates.Add(slot);
            }
            depths[slot] = depth + 1;
            // The nearest tier is the lowest bit.
            paid[slot] += costOf[int.TrailingZeroCount(entry)];
            reached = true;
        }
        return reached;
    }

    private int Begin(string name, long generation)
    {
        if (slots.TryGetValue(name, out var old)) End(old);
        var slot = replicas.Count;
        replicas.Add(new Slot { Name = name, Generation = generation });
        if (slot >= depths.Length)
        {
            Array.Resize(ref depths, Math.Max(16, 2 * depths.Length));
            Array.Resize(ref paid, depths.Length);
        }
        depths[slot] = 0;
        slots[name] = slot;
        return slot;
    }

    private void End(int slot)
    {
        ref var over = ref CollectionsMarshal.AsSpan(replicas)[slot];
        over.IsOver = true;
        depths[slot] = -1;
        dead += over.Entries;
        // What is over is skipped; swept out once it is the better part, so that a restart costs no walk through everything.
        if (dead > 4096 + (Entries / 2)) Sweep();
    }

    // The tiers of one slot: a walk through all, but a cache is cleared rarely.
    private void Clear(int slot, int bit)
    {
        if (replicas[slot].Entries == 0) return;
        emptied.Clear();
        foreach (var hash in blocks.Keys) emptied.Add(hash);
        foreach (var hash in emptied) Remove(hash, slot, bit);
        emptied.Clear();
    }

    private void Add(BlockHash hash, int slot, int bit)
    {
        if (Entries >= maxEntries)
        {
            Dropped++;
            return;
        }
        ref var holders = ref CollectionsMarshal.GetValueRefOrAddDefault(blocks, hash, out _);
        if (!holders.Add(slot << TierBits, bit)) return;
        Entries++;
        CollectionsMarshal.AsSpan(replicas)[slot].Entries++;
    }

    private void Remove(BlockHash hash, int slot, int bit)
    {
        ref var holders = ref CollectionsMarshal.GetValueRefOrNullRef(blocks, hash);
        if (Unsafe.IsNullRef(ref holders) || !holders.Remove(slot << TierBits, bit)) return;
        Entries--;
        CollectionsMarshal.AsSpan(replicas)[slot].Entries--;
        if (holders.Count == 0) blocks.Remove(hash);
    }

    private void Sweep()
    {
        emptied.Clear();
        foreach (var hash in blocks.Keys)
        {
            ref var holders = ref CollectionsMarshal.GetValueRefOrNullRef(blocks, hash);
            Entries -= holders.Keep(replicas, TierBits);
            if (holders.Count == 0) emptied.Add(hash);
        }
        foreach (var hash in emptied) blocks.Remove(hash);
        emptied.Clear();
        dead = 0;
        Renumber();
    }

    // Slots that are over have no entries now: their numbers are given away again, or restarts would add up.
    private void Renumber()
    {
        var moved = new int[replicas.Count];
        var count = 0;
        for (var i = 0; i < replicas.Count; i++)
        {
            moved[i] = count;
            if (!replicas[i].IsOver) replicas[count++] = replicas[i];
        }
        if (count == moved.Length) return;
        replicas.RemoveRange(count, replicas.Count - count);
        Array.Clear(depths, 0, count);
        for (var i = 0; i < count; i++) slots[replicas[i].Name] = i;
        foreach (var hash in blocks.Keys) CollectionsMarshal.GetValueRefOrNullRef(blocks, hash).Renumber(moved, TierBits);
    }
}

/// <summary>How much of a prompt a replica holds.</summary>
/// <param name="Replica">The replica.</param>
/// <param name="Blocks">Leading blocks.</param>
/// <param name="Worth">Blocks whose computing is saved, what it takes to fetch them from their tiers subtracted.</param>
internal readonly record struct PrefixMatch(string Replica, int Blocks, double Worth);
