namespace Quilt.Hosting.Http;

/// <summary>
/// A pulse that many streams share: those that wait go on together at its next stroke, and no timer runs while nobody waits. Where many streams run,
/// what comes between two strokes is sent in one piece, which costs one call of the system and not one a token.
/// </summary>
internal sealed class Beat : IDisposable
{
    /// <summary>Time between two strokes: shorter than anybody sees.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromMilliseconds(25);

    private readonly Lock gate = new();
    private readonly ITimer timer;
    private TaskCompletionSource? waiting;

    public Beat(TimeProvider time) =>
        timer = time.CreateTimer(static self => ((Beat)self!).Strike(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    /// <summary>Goes on at the next stroke; at once where there will be none.</summary>
    public Task NextAsync()
    {
        lock (gate)
        {
            if (waiting is not null) return waiting.Task;
            if (!timer.Change(Period, Timeout.InfiniteTimeSpan)) return Task.CompletedTask;
            waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return waiting.Task;
        }
    }

    /// <summary>The last stroke: nobody is left waiting.</summary>
    public void Dispose()
    {
        timer.Dispose();
        Strike();
    }

    private void Strike()
    {
        TaskCompletionSource? struck;
        lock (gate) (struck, waiting) = (waiting, null);
        struck?.SetResult();
    }
}
