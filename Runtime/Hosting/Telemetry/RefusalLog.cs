using Microsoft.Extensions.Logging;

namespace Quilt.Hosting.Telemetry;

/// <summary>Counts refused requests by status and says so in the log, once a second at most: whoever sends many does not fill a disk.</summary>
internal sealed class RefusalLog : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private readonly Lock gate = new();
    private readonly SortedDictionary<int, long> counts = [];
    private readonly ILogger logger;
    private readonly TimeProvider time;
    private readonly ITimer timer;
    private long first;

    public RefusalLog(TimeProvider time, ILoggerFactory loggers)
    {
        (this.time, logger) = (time, loggers.CreateLogger(Log.Category));
        timer = time.CreateTimer(static self => ((RefusalLog)self!).Write(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>A request was refused with this status, which is one of HTTP's.</summary>
    public void Add(int status)
    {
        lock (gate)
        {
            if (counts.Count == 0)
            {
                first = time.GetTimestamp();
                timer.Change(Pause, Timeout.InfiniteTimeSpan);
            }
            counts[status] = counts.GetValueOrDefault(status) + 1;
        }
    }

    /// <summary>Says what has not been said yet.</summary>
    public void Dispose()
    {
        timer.Dispose();
        Write();
    }

    private void Write()
    {
        string said;
        double seconds;
        lock (gate)
        {
            if (counts.Count == 0) return;
            said = string.Join(", ", counts.Select(count => $"{count.Value} × {count.Key}"));
            seconds = time.GetElapsedTime(first).TotalSeconds;
            counts.Clear();
        }
        Log.Refused(logger, seconds, said);
    }
}
