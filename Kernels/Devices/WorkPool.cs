using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Quilt.Kernels.Devices;

/// <summary>One operation cut into items that may run in any order on any thread. An item must not depend on another of the same job.</summary>
internal interface IJob
{
    /// <summary>Runs item <paramref name="item"/>; called once for each, from several threads.</summary>
    void Execute(int item);
}

/// <summary>
/// Threads that take items of one job at a time. The calling thread works too, so a small job finishes without waiting for anybody to wake up.
/// Nothing is allocated per job: the job is a struct on the caller's stack.
/// </summary>
/// <remarks>
/// One 64-bit word holds generation (16 bits), number of items (24) and next item (24). A thread claims an item by adding one; what it gets back
/// says, all of one moment, which job the claim belongs to and whether there was an item left. A job ends when its last item is done, so its fields
/// stay valid for whoever holds a claim.
/// </remarks>
internal sealed unsafe class WorkPool : IDisposable
{
    /// <summary>Most items a job may have.</summary>
    public const int MaxItems = (1 << 24) - (1 << 16);

    private const int SpinsBeforeParking = 2000;
    private readonly Worker[] workers;
    private Shared shared;
    private delegate*<void*, int, void> body;
    private void* job;
    private volatile Exception? failure;
    private volatile bool stopping;
    private int generation;
    private int busy;

    /// <summary>A pool of <paramref name="threads"/> threads, the caller of <see cref="Run"/> being one of them.</summary>
    public WorkPool(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        workers = new Worker[threads - 1];
        for (var i = 0; i < workers.Length; i++)
        {
            var worker = workers[i] = new Worker();
            worker.Thread = new Thread(() => Work(worker)) { IsBackground = true, Name = $"quilt-{i + 1}" };
            worker.Thread.Start();
        }
    }

    /// <summary>Threads at work, the caller included.</summary>
    public int Threads => workers.Length + 1;

    /// <summary>Runs items 0 .. <paramref name="items"/> − 1 and returns when all are done. One caller at a time.</summary>
    /// <exception cref="InvalidOperationException">Another caller's job is running, or this is called by one of its items.</exception>
    /// <exception cref="Exception">What an item threw; the other items have still run.</exception>
    public void Run<TJob>(int items, ref TJob work) where TJob : struct, IJob
    {
        if (items <= 0) return;
        if (workers.Length == 0 || items == 1)
        {
            for (var i = 0; i < items; i++) work.Execute(i);
            return;
        }
        ArgumentOutOfRangeException.ThrowIfGreaterThan(items, MaxItems);
        if (Interlocked.Exchange(ref busy, 1) != 0)
            throw new InvalidOperationException("The pool runs a job already: expected one caller at a time, found a second.");
        try
        {
            RunTogether(items, ref work);
        }
        finally
        {
            Volatile.Write(ref busy, 0);
        }
    }

    private void RunTogether<TJob>(int items, ref TJob work) where TJob : struct, IJob
    {
        // The job stays on this frame until the last item is done; a reference in it is kept up to date there by the collector.
        job = Unsafe.AsPointer(ref work);
        body = &Invoke<TJob>;
        shared.Done = 0;
        generation = (generation + 1) & 0xFFFF;
        Interlocked.Exchange(ref shared.Claims, ((long)generation << 48) | ((long)items << 24));

        foreach (var worker in workers)
        {
            if (Volatile.Read(ref worker.Parked) != 0 && Interlocked.Exchange(ref worker.Parked, 0) != 0) worker.Wake.Release();
        }

        TakeItems();
        var spin = new SpinWait();
        while (Volatile.Read(ref shared.Done) < items) spin.SpinOnce(sleep1Threshold: -1);

        if (failure is { } thrown)
        {
            failure = null;
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(thrown);
        }
    }

    public void Dispose()
    {
        stopping = true;
        foreach (var worker in workers) worker.Wake.Release();
        foreach (var worker in workers) worker.Thread!.Join();
        foreach (var worker in workers) worker.Dispose();
    }

    private static void Invoke<TJob>(void* job, int item) where TJob : struct, IJob => Unsafe.AsRef<TJob>(job).Execute(item);

    /// <summary>Claims and runs items until none is left.</summary>
    private void TakeItems()
    {
        while (true)
        {
            var claim = Interlocked.Increment(ref shared.Claims) - 1;
            var item = (int)(claim & 0xFFFFFF);
            if (item >= (int)((claim >> 24) & 0xFFFFFF)) return;
            try
            {
                body(job, item);
            }
#pragma warning disable CA1031 // Whatever an item throws belongs to the caller of Run; a worker thread must outlive it.
            catch (Exception thrown)
#pragma warning restore CA1031
            {
                failure = thrown;
            }
            Interlocked.Increment(ref shared.Done);
        }
    }

    private bool HasItems()
    {
        var claims = Volatile.Read(ref shared.Claims);
        return (claims & 0xFFFFFF) < ((claims >> 24) & 0xFFFFFF);
    }

    private void Work(Worker self)
    {
        while (!stopping)
        {
            for (var spins = 0; spins < SpinsBeforeParking; spins++)
            {
                if (HasItems())
                {
                    TakeItems();
                    spins = 0;
                }
                Thread.SpinWait(8);
                if (stopping) return;
            }

            Interlocked.Exchange(ref self.Parked, 1);
            if (HasItems() && Interlocked.Exchange(ref self.Parked, 0) != 0) continue;
            self.Wake.Wait();
        }
    }

    private sealed class Worker : IDisposable
    {
        public readonly SemaphoreSlim Wake = new(0);
        public Thread? Thread;
        public int Parked;
        public void Dispose() => Wake.Dispose();
    }

    /// <summary>The two words that all threads write, each on cache lines of its own.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 384)]
    private struct Shared
    {
        [FieldOffset(128)] public long Claims;
        [FieldOffset(256)] public int Done;
    }
}
