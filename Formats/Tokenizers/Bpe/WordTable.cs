using System.Buffers.Binary;

namespace Quilt.Formats.Tokenizers.Bpe;

/// <summary>
/// From short byte strings to the ids they became: a vocabulary's whole words, or the words met lately. Open-addressed, in three flat arrays.
/// </summary>
internal sealed class WordTable(int capacity)
{
    private readonly Slot[] slots = new Slot[(int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)capacity * 2)];
    private byte[] keys = new byte[capacity * 8];
    private int[] ids = new int[capacity * 2];
    private int keyCount, idCount, count;

    private record struct Slot(uint Hash, int KeyStart, int KeyLength, int IdStart, int IdCount);

    /// <summary>Whether nothing more may be added before <see cref="Clear"/>.</summary>
    public bool IsFull => count >= capacity;

    /// <summary>The ids of a word that was added.</summary>
    public bool TryGet(ReadOnlySpan<byte> word, out ReadOnlySpan<int> found)
    {
        ref readonly var slot = ref slots[Find(word, Hash(word))];
        found = ids.AsSpan(slot.IdStart, slot.IdCount);
        return slot.KeyLength > 0;
    }

    /// <summary>Adds a word, which is not empty; one that is there already is replaced.</summary>
    public void Add(ReadOnlySpan<byte> word, ReadOnlySpan<int> its)
    {
        var hash = Hash(word);
        ref var slot = ref slots[Find(word, hash)];
        if (slot.KeyLength == 0) count++;
        Reserve(ref keys, keyCount + word.Length);
        Reserve(ref ids, idCount + its.Length);
        word.CopyTo(keys.AsSpan(keyCount));
        its.CopyTo(ids.AsSpan(idCount));
        slot = new Slot(hash, keyCount, word.Length, idCount, its.Length);
        keyCount += word.Length;
        idCount += its.Length;
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        Array.Clear(slots);
        keyCount = idCount = count = 0;
    }

    private int Find(ReadOnlySpan<byte> word, uint hash)
    {
        var mask = slots.Length - 1;
        for (var at = (int)hash & mask; ; at = at + 1 & mask)
        {
            ref readonly var slot = ref slots[at];
            if (slot.KeyLength == 0) return at;
            if (slot.Hash == hash && slot.KeyLength == word.Length && word.SequenceEqual(keys.AsSpan(slot.KeyStart, slot.KeyLength))) return at;
        }
    }

    private static uint Hash(ReadOnlySpan<byte> word)
    {
        var hash = (ulong)word.Length * 0x9E3779B97F4A7C15;
        for (; word.Length >= 8; word = word[8..]) hash = Mix(hash ^ BinaryPrimitives.ReadUInt64LittleEndian(word));
        var rest = 0UL;
        for (var i = 0; i < word.Length; i++) rest |= (ulong)word[i] << i * 8;
        hash = Mix(hash ^ rest);
        return (uint)(hash >> 32);
    }

    private static ulong Mix(ulong value)
    {
        value *= 0xD6E8FEB86659FD93;
        return (value ^ value >> 32) * 0xD6E8FEB86659FD93;
    }

    private static void Reserve<T>(ref T[] array, int count)
    {
        if (array.Length < count) Array.Resize(ref array, Math.Max(count, array.Length * 2));
    }
}
