namespace Quilt.Formats.Tokenizers.Bpe;

/// <summary>
/// Merges the symbols of one word: always the pair of lowest rank, the leftmost of equals. Short words by looking for it,
/// long ones through a heap, so that a megabyte of one letter takes n log n. Holds the memory for it; one per thread of work.
/// </summary>
internal sealed class BpeMerger(MergeTable merges)
{
    private const int ShortLimit = 24;
    private int[] ids = new int[64];
    private int[] ranks = new int[64];
    private int[] results = new int[64];
    private int[] next = new int[64];
    private int[] previous = new int[64];
    private ulong[] heap = new ulong[64];
    private int heapCount;

    /// <summary>Pairs looked at since the beginning: what tests of linearity compare.</summary>
    public long Steps { get; private set; }

    /// <summary>Merges <paramref name="symbols"/> in place and returns how many are left.</summary>
    public int Merge(Span<int> symbols) => symbols.Length switch
    {
        < 2 => symbols.Length,
        <= ShortLimit => MergeShort(symbols),
        _ => MergeLong(symbols),
    };

    private int MergeShort(Span<int> symbols)
    {
        var count = symbols.Length;
        for (var i = 0; i + 1 < count; i++) ranks[i] = merges.Rank(symbols[i], symbols[i + 1], out results[i]);
        Steps += count;
        while (count > 1)
        {
            int best = 0, rank = ranks[0];
            for (var i = 1; i < count - 1; i++)
                if (ranks[i] < rank) (best, rank) = (i, ranks[i]);
            if (rank == MergeTable.Never) break;
            symbols[best] = results[best];
            count--;
            for (var i = best + 1; i < count; i++)
            {
                symbols[i] = symbols[i + 1];
                if (i < count - 1) (ranks[i], results[i]) = (ranks[i + 1], results[i + 1]);
            }
            if (best > 0) ranks[best - 1] = merges.Rank(symbols[best - 1], symbols[best], out results[best - 1]);
            if (best + 1 < count) ranks[best] = merges.Rank(symbols[best], symbols[best + 1], out results[best]);
            Steps += count;
        }
        return count;
    }

    private int MergeLong(Span<int> symbols)
    {
        var count = symbols.Length;
        Reserve(count);
        symbols.CopyTo(ids);
        heapCount = 0;
        for (var i = 0; i < count; i++) (previous[i], next[i], ranks[i]) = (i - 1, i + 1 < count ? i + 1 : -1, MergeTable.Never);
        for (var i = 0; i + 1 < count; i++) Offer(i);
        while (heapCount > 0)
        {
            var top = Pop();
            int at = (int)(uint)top, rank = (int)(top >> 32);
            // The pair may have changed since it was put on the heap; then it has another rank now.
            if (ranks[at] != rank) continue;
            var gone = next[at];
            ids[at] = results[at];
            ranks[gone] = MergeTable.Never;
            next[at] = next[gone];
            if (next[gone] >= 0) previous[next[gone]] = at;
            ids[gone] = -1;
            Offer(at);
            if (previous[at] >= 0) Offer(previous[at]);
        }
        var left = 0;
        for (var i = 0; i >= 0; i = next[i]) symbols[left++] = ids[i];
        return left;
    }

    private void Offer(int at)
    {
        Steps++;
        ranks[at] = next[at] < 0 ? MergeTable.Never : merges.Rank(ids[at], ids[next[at]], out results[at]);
        if (ranks[at] != MergeTable.Never) Push((ulong)(uint)ranks[at] << 32 | (uint)at);
    }

    private void Push(ulong key)
    {
        if (heapCount == heap.Length) Array.Resize(ref heap, heap.Length * 2);
        var at = heapCount++;
        while (at > 0 && heap[at - 1 >> 1] > key)
        {
            Steps++;
            heap[at] = heap[at - 1 >> 1];
            at = at - 1 >> 1;
        }
        heap[at] = key;
    }

    private ulong Pop()
    {
        var top = heap[0];
        var key = heap[--heapCount];
        var at = 0;
        while (at * 2 + 1 < heapCount)
        {
            Steps++;
            var child = at * 2 + 1;
            if (child + 1 < heapCount && heap[child + 1] < heap[child]) child++;
            if (heap[child] >= key) break;
            heap[at] = heap[child];
            at = child;
        }
        heap[at] = key;
        return top;
    }

    private void Reserve(int count)
    {
        if (ids.Length >= count) return;
        var size = Math.Max(count, ids.Length * 2);
        Array.Resize(ref ids, size);
        Array.Resize(ref ranks, size);
        Array.Resize(ref results, size);
        Array.Resize(ref next, size);
        Array.Resize(ref previous, size);
    }
}
