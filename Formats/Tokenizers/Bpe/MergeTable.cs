namespace Quilt.Formats.Tokenizers.Bpe;

/// <summary>Which pairs of tokens merge, in what order, into what. An open-addressed table: it is asked several times per byte of text.</summary>
internal sealed class MergeTable
{
    /// <summary>The rank of a pair that does not merge.</summary>
    public const int Never = int.MaxValue;

    private readonly Slot[] slots;
    private readonly int shift;

    private record struct Slot(ulong Pair, int Rank, int Result);

    public MergeTable(IReadOnlyList<(int Left, int Right, int Result)> merges)
    {
        var bits = 4;
        while (1L << bits < merges.Count * 2L) bits++;
        shift = 64 - bits;
        slots = new Slot[1 << bits];
        Array.Fill(slots, new Slot(ulong.MaxValue, Never, -1));
        for (var rank = 0; rank < merges.Count; rank++)
        {
            var (left, right, result) = merges[rank];
            // A pair that is listed twice merges by its last line.
            slots[Find(Key(left, right))] = new Slot(Key(left, right), rank, result);
        }
    }

    /// <summary>The rank of a pair, <see cref="Never"/> where it does not merge, and the token it becomes.</summary>
    public int Rank(int left, int right, out int result)
    {
        ref readonly var slot = ref slots[Find(Key(left, right))];
        result = slot.Result;
        return slot.Rank;
    }

    private static ulong Key(int left, int right) => (ulong)(uint)left << 32 | (uint)right;

    private int Find(ulong key)
    {
        var mask = slots.Length - 1;
        var at = (int)(key * 0x9E3779B97F4A7C15 >> shift);
        while (slots[at].Pair != key && slots[at].Pair != ulong.MaxValue) at = at + 1 & mask;
        return at;
    }
}
