using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace Quilt.Kernels.Devices;

/// <summary>
/// Threads that run the items of one job at a time. The calling thread works too, so a small job finishes without waiting for anybody to wake up.
/// Nothing is allocated per job: the job is a struct on the caller's stack.
/// </summary>
/// <remarks>
/// Thread i of n begins with the i-th of n runs of items (<see cref="WorkShare"/>), so that a job that comes again finds the same weights in the
/// same cores' caches, and in the memory of the node that filled them; then it helps its neighbours. A thread without work looks for some for a
/// moment, then sleeps (<see cref="Idling"/>).
/// </remarks>
internal sealed unsafe class WorkPool : IDisposable
{
    private readonly Worker[] workers;
    private readonly NativeBuffer memory;
    private readonly WorkShare* shares;
    private readonly bool crowded;
    private Idling barrier;
    private Exception? failure;
    private volatile bool stopping;
    private int busy;
    private int sleeping;

    /// <summary>A pool of <paramref name="threads"/> threads, the caller of <see cref="Run{TJob}(int, ref TJob)"/> being one of them.</summary>
    public WorkPool(int threads)
        : this(threads, null)
    {
    }

    /// <summary>A pool of a plan's threads. The caller's thread is number 0 and is its own affair: it stays where the system has it.</summary>
    public WorkPool(ThreadPlan plan)
        : this(plan.Threads, plan)
    {
        Plan = plan;
    }

    private WorkPool(int threads, ThreadPlan? plan)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        memory = new NativeBuffer((long)threads * sizeof(WorkShare), zeroed: true);
        shares = (WorkShare*)memory.Data;
        Useful = Math.Min(threads, Environment.ProcessorCount);
        crowded = threads > Useful;
        barrier = new Idling(crowded);
        workers = new Worker[threads - 1];
        for (var i = 0; i < workers.Length; i++)
        {
            var index = i + 1;
            var worker = workers[i] = new Worker(new Thread(() => Work(index, plan)) { IsBackground = true, Name = $"quilt-{index}" });
            worker.Thread.Start();
        }
    }

    /// <summary>Where its threads belong; null: anywhere.</summary>
    public ThreadPlan? Plan { get; }

    /// <summary>Threads at work, the caller included.</summary>
    public int Threads => workers.Length + 1;

    /// <summary>Threads that can run at the same time: more only take turns on the machine's processors.</summary>
    public int Useful { get; }

    /// <summary>Threads that sleep because there has been nothing to do.</summary>
    public int Sleeping => Volatile.Read(ref sleeping);

    /// <summary>Runs items 0 .. <paramref name="items"/> − 1 and returns when all are done. One caller at a time.</summary>
    /// <exception cref="InvalidOperationException">Another caller's job is running, or this is called by one of its items.</exception>
    /// <exception cref="Exception">What an item threw; the other items have still run.</exception>
    public void Run<TJob>(int items, ref TJob work) where TJob : struct, IJob => Run(items, Threads, ref work);

    /// <summary>The same on at most <paramref name="threads"/> of the threads.</summary>
    public void Run<TJob>(int items, int threads, ref TJob work) where TJob : struct, IJob
    {
        if (items <= 0) return;
        threads = Math.Min(Math.Min(threads, Threads), items);
        if (threads <= 1)
        {
            for (var i = 0; i < items; i++) work.Execute(i);
            return;
        }
        if (Interlocked.Exchange(ref busy, 1) != 0)
            throw new InvalidOperationException("The pool runs a job already: expected one caller at a time, found a second.");
        try
        {
            // The job stays on the caller's frame until the last item is done; a reference in it is kept up to date there by the collector.
            RunTogether(items, threads, &Invoke<TJob>, Unsafe.AsPointer(ref work));
        }
        finally
        {
            Volatile.Write(ref busy, 0);
        }
    }

    public void Dispose()
    {
        stopping = true;
        foreach (var worker in workers) worker.Wake.Release();
        foreach (var worker in workers) worker.Thread.Join();
        foreach (var worker in workers) worker.Wake.Dispose();
        memory.Dispose();
    }

    private static void Invoke<TJob>(void* job, int first, int end, WorkPool pool) where TJob : struct, IJob
    {
        for (var item = first; item < end; item++)
        {
            try
            {
                Unsafe.AsRef<TJob>(job).Execute(item);
            }
#pragma warning disable CA1031 // Whatever an item throws belongs to the caller of Run; a worker thread must outlive it.
            catch (Exception thrown)
#pragma warning restore CA1031
            {
                Interlocked.CompareExchange(ref pool.failure, thrown, null);
            }
        }
    }

    private void RunTogether(int items, int threads, delegate*<void*, int, int, WorkPool, void> body, void* job)
    {
        for (var t = 1; t < threads; t++) shares[t].Offer(body, job, threads, First(t), First(t + 1));
        var piece = shares[0].OfferRest(body, job, threads, First(1));

        // A thread that goes to sleep says so before it looks for work a last time: either it sees the offer, or this sees that it sleeps.
        for (var t = 1; t < threads; t++)
        {
            if (shares[t].TryUnpark()) workers[t - 1].Wake.Release();
        }

        // The first piece needs no claim, which would wait until the others' shares have left this core.
        body(job, 0, piece, this);
        shares[0].Add(piece);
        TakeItems(0);
        barrier.Begin();
        for (var t = 0; t < threads; t++)
        {
            for (var count = First(t + 1) - First(t); shares[t].Done < count;) barrier.Wait();
        }

        if (failure is not { } thrown) return;
        failure = null;
        ExceptionDispatchInfo.Throw(thrown);

        int First(int thread) => (int)((long)items * thread / threads);
    }

    /// <summary>Runs what is left of a thread's own share, then of the others': those first whose number differs in the lowest bits.</summary>
    private void TakeItems(int self)
    {
        var own = 0;
        while (shares[self].RunFirst(this) is > 0 and var count) own += count;
        if (own > 0) shares[self].Add(own);
        var threads = shares[self].Threads;
        for (var distance = 1; distance < (int)BitOperations.RoundUpToPowerOf2((uint)threads); distance++)
        {
            var other = self ^ distance;
            if (other >= threads) continue;
            while (shares[other].TryRunLast(this))
            {
            }
        }
    }

    private void Work(int self, ThreadPlan? plan)
    {
        plan?.Pin(self);
        var idling = new Idling(crowded);
        while (!stopping)
        {
            if (shares[self].HasItems)
            {
                TakeItems(self);
                idling.Begin();
            }
            else if (!idling.Wait())
            {
                Sleep(self);
                idling.Begin();
            }
        }
    }

    private void Sleep(int self)
    {
        shares[self].Park();
        if (shares[self].HasItems && shares[self].TryUnpark()) return;
        Interlocked.Increment(ref sleeping);
        workers[self - 1].Wake.Wait();
        Interlocked.Decrement(ref sleeping);
    }

    private sealed record Worker(Thread Thread)
    {
        public SemaphoreSlim Wake { get; } = new(0);
    }
}
