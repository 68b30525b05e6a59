namespace Quilt.Runtime.Scheduling;

/// <summary>
/// Sequences that wait, in the order of <see cref="Sequence.Rank"/> and then of arrival: a binary heap in which a sequence knows its own place, so
/// that any of them can leave in logarithmic time. Allocates only when it grows.
/// </summary>
internal sealed class WaitingQueue
{
    private readonly List<Sequence> heap = [];

    /// <summary>How many wait.</summary>
    public int Count => heap.Count;

    /// <summary>Who is next.</summary>
    public Sequence First => heap[0];

    /// <summary>All of them in order; for those who look on.</summary>
    public IEnumerable<Sequence> InOrder => heap.Order(Comparer<Sequence>.Create(Compare));

    /// <summary>Which of two comes first: negative for <paramref name="a"/>.</summary>
    public static int Compare(Sequence a, Sequence b) => a.Rank != b.Rank ? a.Rank.CompareTo(b.Rank) : a.Arrival.CompareTo(b.Arrival);

    /// <summary>One more.</summary>
    public void Add(Sequence sequence)
    {
        heap.Add(sequence);
        sequence.WaitingAt = heap.Count - 1;
        Rise(heap.Count - 1);
    }

    /// <summary>One less; false if it does not wait.</summary>
    public bool Remove(Sequence sequence)
    {
        var at = sequence.WaitingAt;
        if (at < 0) return false;
        var last = heap[^1];
        heap.RemoveAt(heap.Count - 1);
        sequence.WaitingAt = -1;
        if (last == sequence) return true;
        Put(last, at);
        Rise(at);
        Sink(last.WaitingAt);
        return true;
    }

    private void Rise(int at)
    {
        while (at > 0 && Compare(heap[at], heap[(at - 1) / 2]) < 0) at = Swap(at, (at - 1) / 2);
    }

    private void Sink(int at)
    {
        while (true)
        {
            var child = (2 * at) + 1;
            if (child >= heap.Count) return;
            if (child + 1 < heap.Count && Compare(heap[child + 1], heap[child]) < 0) child++;
            if (Compare(heap[at], heap[child]) <= 0) return;
            at = Swap(at, child);
        }
    }

    private int Swap(int at, int other)
    {
        var moved = heap[at];
        Put(heap[other], at);
        Put(moved, other);
        return other;
    }

    private void Put(Sequence sequence, int at)
    {
        heap[at] = sequence;
        sequence.WaitingAt = at;
    }
}
