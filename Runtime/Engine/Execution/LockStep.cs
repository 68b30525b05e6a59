using System.Runtime.ExceptionServices;
using Quilt.Kernels.Devices;

namespace Quilt.Runtime.Execution;

/// <summary>
/// Threads that do the same at the same time, one for each of several devices; the caller's is that of device 0. They wait for each other where they
/// say so, and if one of them fails all others stop at the next such place.
/// </summary>
internal sealed class LockStep : IDisposable
{
    private readonly object gate = new();
    private readonly Thread[] threads;
    private readonly Idling[] idling;
    private readonly Action<int> work;
    private ExceptionDispatchInfo? failure;
    private volatile bool stopping;
    private volatile bool failed;
    private volatile int begun;
    private volatile int round;
    private int arrived;
    private int running;

    /// <summary>Threads for devices 1 .. <paramref name="count"/> − 1, which wait for the first <see cref="Run"/>.</summary>
    /// <param name="count">Devices.</param>
    /// <param name="work">What each does in a run, given its number.</param>
    /// <param name="begin">What each of the threads does first; null: nothing.</param>
    public LockStep(int count, Action<int> work, Action<int>? begin = null)
    {
        this.work = work;
        Count = count;
        idling = new Idling[count];
        Array.Fill(idling, new Idling(crowded: count > Environment.ProcessorCount));
        threads = new Thread[count - 1];
        for (var i = 0; i < threads.Length; i++)
        {
            var index = i + 1;
            threads[i] = new Thread(() => Serve(index, begin)) { IsBackground = true, Name = $"quilt-device-{index}" };
            threads[i].Start();
        }
    }

    /// <summary>Devices.</summary>
    public int Count { get; }

    /// <summary>Does the work once on every thread and returns when all are done.</summary>
    /// <exception cref="Exception">What the first of them to fail threw.</exception>
    public void Run()
    {
        lock (gate)
        {
            (failure, failed, arrived, running) = (null, false, 0, Count);
            begun++;
            Monitor.PulseAll(gate);
        }
        Work(0);
        lock (gate)
        {
            while (running > 0) Monitor.Wait(gate);
        }
        failure?.Throw();
    }

    /// <summary>Waits until all threads have come here. What each wrote before is then seen by all.</summary>
    /// <exception cref="OperationCanceledException">Another thread has failed.</exception>
    public void Meet(int index)
    {
        var mine = round;
        if (Interlocked.Increment(ref arrived) == Count)
        {
            arrived = 0;
            lock (gate)
            {
                round = mine + 1;
                Monitor.PulseAll(gate);
            }
            return;
        }
        ref var wait = ref idling[index];
        wait.Begin();
        while (round == mine && !failed && wait.Wait())
        {
        }
        if (round == mine)
        {
            lock (gate)
            {
                while (round == mine && !failed) Monitor.Wait(gate);
            }
        }
        if (round == mine) throw new OperationCanceledException("Another device of the group has failed.");
    }

    public void Dispose()
    {
        lock (gate)
        {
            stopping = true;
            Monitor.PulseAll(gate);
        }
        foreach (var thread in threads) thread.Join();
    }

    private static bool IsStop(ExceptionDispatchInfo info) => info.SourceException is OperationCanceledException;

    private void Serve(int index, Action<int>? begin)
    {
        begin?.Invoke(index);
        for (var seen = 0; ;)
        {
            ref var wait = ref idling[index];
            wait.Begin();
            while (begun == seen && !stopping && wait.Wait())
            {
            }
            lock (gate)
            {
                while (begun == seen && !stopping) Monitor.Wait(gate);
                if (stopping) return;
                seen = begun;
            }
            Work(index);
        }
    }

    private void Work(int index)
    {
        ExceptionDispatchInfo? thrown = null;
        try
        {
            work(index);
        }
#pragma warning disable CA1031 // Whatever a device throws belongs to the caller of Run; the other threads must not wait for it for ever.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            thrown = ExceptionDispatchInfo.Capture(exception);
        }
        lock (gate)
        {
            if (thrown is not null)
            {
                // Those that only stopped because of it are not what went wrong.
                if (failure is null || (IsStop(failure) && !IsStop(thrown))) failure = thrown;
                failed = true;
            }
            if (--running == 0 || thrown is not null) Monitor.PulseAll(gate);
        }
    }
}
