using System.Collections.Concurrent;

namespace Quilt.Runtime;

/// <summary>The one thread that steps. Everything that touches sequences, weights or the cache is posted here and runs between two steps.</summary>
internal sealed class EngineLoop : IDisposable
{
    private readonly ConcurrentQueue<Action> posted = new();
    private readonly SemaphoreSlim wake = new(0);
    private readonly Func<bool> step;
    private readonly Action<Exception> failed;
    private readonly Thread thread;
    private volatile bool stopping;

    /// <summary>
    /// A loop that calls <paramref name="step"/> as long as it returns true, and sleeps until something is posted when it returns false.
    /// </summary>
    /// <param name="step">One step of work.</param>
    /// <param name="failed">Called once, on the loop's thread, with what a step threw; no step follows.</param>
    public EngineLoop(Func<bool> step, Action<Exception> failed)
    {
        (this.step, this.failed) = (step, failed);
        thread = new Thread(Run) { IsBackground = true, Name = "quilt-engine" };
    }

    /// <summary>Starts the thread.</summary>
    public void Start() => thread.Start();

    /// <summary>
    /// Runs <paramref name="action"/> on the loop's thread between two steps; false if the loop has ended and it never will. It must not throw.
    /// </summary>
    public bool TryPost(Action action)
    {
        // The lock is for the end: what is accepted is still run by Dispose.
        lock (posted)
        {
            if (stopping) return false;
            posted.Enqueue(action);
            wake.Release();
            return true;
        }
    }

    /// <summary>Lets the step in flight finish, then ends the thread. What was posted before still runs.</summary>
    public void Dispose()
    {
        lock (posted)
        {
            if (stopping) return;
            stopping = true;
            wake.Release();
        }
        if (thread.IsAlive) thread.Join();
        while (posted.TryDequeue(out var action)) action();
        wake.Dispose();
    }

    private void Run()
    {
        try
        {
            while (!stopping)
            {
                while (posted.TryDequeue(out var action)) action();
                if (!stopping && !step()) wake.Wait();
            }
        }
#pragma warning disable CA1031 // A device's failure ends the engine: whoever waits for tokens must hear of it, whatever it was.
        catch (Exception thrown)
#pragma warning restore CA1031
        {
            failed(thrown);
            while (!stopping)
            {
                // Requests still come in; each is told what happened.
                while (posted.TryDequeue(out var action)) action();
                wake.Wait();
            }
        }
    }
}
