using System.Runtime.InteropServices;

namespace Quilt.Kernels.Devices;

/// <summary>
/// One thread's part of a job: items that follow each other. Its thread takes them from the front, threads that have nothing left from the back,
/// both in pieces that shrink with what is left. All that a thread looks at to begin is on one cache line, which it alone changes until others
/// come to help.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal unsafe struct WorkShare
{
    /// <summary>Most items of a piece.</summary>
    private const int MostItems = 16;

    /// <summary>A piece is this part of what is left: whoever is slow holds up the others with little at the end.</summary>
    private const int Parts = 8;

    // Items that nobody has claimed: the first in the low half, the one after the last in the high half. Claims replace the whole word.
    [FieldOffset(0)] private long left;
    [FieldOffset(8)] private int done;
    [FieldOffset(12)] private int parked;
    [FieldOffset(16)] private delegate*<void*, int, int, WorkPool, void> body;
    [FieldOffset(24)] private void* job;
    [FieldOffset(32)] private int threads;

    /// <summary>Whether there is an item that nobody has claimed.</summary>
    public bool HasItems
    {
        get
        {
            var seen = Volatile.Read(ref left);
            return (int)seen < (int)(seen >> 32);
        }
    }

    /// <summary>Threads that have a share in the job.</summary>
    public int Threads => Volatile.Read(ref threads);

    /// <summary>Items run so far.</summary>
    public int Done => Volatile.Read(ref done);

    /// <summary>Whether its thread sleeps, or is about to.</summary>
    public bool IsParked => Volatile.Read(ref parked) != 0;

    /// <summary>
    /// Offers items <paramref name="first"/> .. <paramref name="end"/> − 1 of a job of so many threads. Nothing of an earlier job may be left;
    /// threads that come late from one find the whole of it or the whole of this.
    /// </summary>
    public void Offer(delegate*<void*, int, int, WorkPool, void> body, void* job, int threads, int first, int end)
    {
        this.body = body;
        this.job = job;
        this.threads = threads;
        done = 0;
        Volatile.Write(ref left, ((long)end << 32) | (uint)first);
    }

    /// <summary>The same from item 0 on for the thread that offers, which keeps a first piece of so many items and says when they have run.</summary>
    public int OfferRest(delegate*<void*, int, int, WorkPool, void> body, void* job, int threads, int end)
    {
        var piece = Piece(0, end);
        Offer(body, job, threads, piece, end);
        return piece;
    }

    /// <summary>Takes a piece and runs it; the number of its items, 0 if none was left. Its thread adds them up for <see cref="Add"/>.</summary>
    public int RunFirst(WorkPool pool)
    {
        for (var seen = Volatile.Read(ref left); ;)
        {
            var (first, end) = ((int)seen, (int)(seen >> 32));
            if (first >= end) return 0;
            var count = Piece(first, end);
            var found = Interlocked.CompareExchange(ref left, ((long)end << 32) | (uint)(first + count), seen);
            if (found == seen)
            {
                body(job, first, first + count, pool);
                return count;
            }
            seen = found;
        }
    }

    /// <summary>The same for another thread; the items count as run.</summary>
    public bool TryRunLast(WorkPool pool)
    {
        for (var seen = Volatile.Read(ref left); ;)
        {
            var (first, end) = ((int)seen, (int)(seen >> 32));
            if (first >= end) return false;
            var count = Piece(first, end);
            var found = Interlocked.CompareExchange(ref left, ((long)(end - count) << 32) | (uint)first, seen);
            if (found == seen)
            {
                body(job, end - count, end, pool);
                Add(count);
                return true;
            }
            seen = found;
        }
    }

    /// <summary>Counts items as run. After the last of a job its fields mean nothing any more.</summary>
    public void Add(int items) => Interlocked.Add(ref done, items);

    /// <summary>
    /// Says that its thread is about to sleep. Whoever offers items and then looks whether it sleeps may do so without a fence, which would cost as
    /// much as a small job: the barrier here, before a sleep, holds for all threads of the process.
    /// </summary>
    public void Park()
    {
        Volatile.Write(ref parked, 1);
        Interlocked.MemoryBarrierProcessWide();
    }

    /// <summary>True for the one caller that ends what <see cref="Park"/> began.</summary>
    public bool TryUnpark() => IsParked && Interlocked.Exchange(ref parked, 0) != 0;

    private static int Piece(int first, int end) => Math.Clamp((end - first) / Parts, 1, MostItems);
}
