using System.Collections.Concurrent;

namespace Quilt.Runtime.Kv.Tiers;

/// <summary>
/// Which image lies in which slot of a tier, and which slot is to be used next: an empty one, else the one whose image was unused longest. Its owner
/// locks it; only <see cref="Holds"/> may be asked from any thread at any time. Everything takes constant time.
/// </summary>
/// <param name="slots">Slots there are.</param>
internal sealed class SlotTable(int slots)
{
    private readonly ConcurrentDictionary<BlockHash, int> index = new();
    private readonly BlockHash[] hashes = new BlockHash[slots];
    private readonly bool[] bound = new bool[slots];
    private readonly int[] next = Ring(slots, 1);            // a ring through the entry behind the last slot; the slot after that is used next
    private readonly int[] previous = Ring(slots, slots);

    private int End => bound.Length;

    /// <summary>Images there are.</summary>
    public int Count => index.Count;

    /// <summary>Slots that are empty or have an image; less than there were if some were taken and never came back.</summary>
    public int Slots { get; private set; } = slots;

    /// <summary>Whether there is an image.</summary>
    public bool Holds(BlockHash hash) => index.ContainsKey(hash);

    /// <summary>Finds an image, which is now the one used last.</summary>
    public bool TryFind(BlockHash hash, out int slot)
    {
        if (!index.TryGetValue(hash, out slot)) return false;
        Unlink(slot);
        Link(slot, previous[End]);
        return true;
    }

    /// <summary>Takes a slot out, whose image is forgotten; −1: there is none.</summary>
    public int Take()
    {
        var slot = next[End];
        if (slot == End) return -1;
        Unlink(slot);
        Unbind(slot);
        Slots--;
        return slot;
    }

    /// <summary>Puts a slot back that was taken: it has an image now, the one used last.</summary>
    public void Bind(int slot, BlockHash hash)
    {
        if (index.TryGetValue(hash, out var older)) Drop(older);
        (hashes[slot], bound[slot], index[hash]) = (hash, true, slot);
        Link(slot, previous[End]);
        Slots++;
    }

    /// <summary>Gives an image to a slot that is empty and not taken; it is the one used last.</summary>
    public void Put(int slot, BlockHash hash)
    {
        Unlink(slot);
        Slots--;
        Bind(slot, hash);
    }

    /// <summary>Whether a slot has an image.</summary>
    public bool IsBound(int slot) => bound[slot];

    /// <summary>Forgets the image of a slot that is not taken.</summary>
    public void Drop(int slot)
    {
        Unlink(slot);
        Unbind(slot);
        Link(slot, End);
    }

    /// <summary>Forgets all images of slots that are not taken.</summary>
    public void Clear()
    {
        for (var slot = 0; slot < End && Count > 0; slot++)
        {
            if (bound[slot]) Drop(slot);
        }
    }

    private void Unbind(int slot)
    {
        if (bound[slot]) index.TryRemove(hashes[slot], out _);
        bound[slot] = false;
    }

    private void Unlink(int slot) => (next[previous[slot]], previous[next[slot]]) = (next[slot], previous[slot]);

    private void Link(int slot, int after)
    {
        (previous[slot], next[slot]) = (after, next[after]);
        previous[next[slot]] = slot;
        next[after] = slot;
    }

    private static int[] Ring(int slots, int step)
    {
        var ring = new int[slots + 1];
        for (var i = 0; i <= slots; i++) ring[i] = (i + step) % (slots + 1);
        return ring;
    }
}
