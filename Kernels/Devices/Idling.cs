using System.Diagnostics;

namespace Quilt.Kernels.Devices;

/// <summary>
/// How a thread waits for what another will do in a moment: it looks again and again, soon gives way to whoever wants its core, and at last is to
/// sleep. A thread that finds it was put aside meanwhile is on a busy machine, and gives way from the start for a while.
/// </summary>
internal struct Idling
{
    /// <summary>A step's jobs follow each other within this: nothing is asked of the system so long.</summary>
    private static readonly long Eager = Stopwatch.Frequency / 1_000_000 * 20;

    /// <summary>From here on nothing is expected. Steps that follow each other are about as far apart, with what is done between them.</summary>
    private static readonly long Patience = Stopwatch.Frequency / 1_000_000 * 100;

    /// <summary>Between two looks a thread that runs loses far less.</summary>
    private static readonly long PutAside = Stopwatch.Frequency / 1_000_000 * 100;

    private static readonly long BusyFor = Stopwatch.Frequency / 10;

    /// <summary>Looks between two at the clock, which costs more than they do.</summary>
    private const int Looks = 16;

    private readonly bool crowded;
    private int looks;
    private long start;
    private long last;
    private long busyUntil;

    /// <summary>
    /// A way of waiting; <paramref name="crowded"/>: there are more threads than cores, so one that looks may keep another from working.
    /// </summary>
    public Idling(bool crowded) => this.crowded = crowded;

    /// <summary>Begins a wait.</summary>
    public void Begin() => (looks, start) = (0, 0);

    /// <summary>A moment of waiting; false when it is time to sleep.</summary>
    public bool Wait()
    {
        if (!crowded && ++looks % Looks != 0)
        {
            Thread.SpinWait(1);
            return true;
        }
        var now = Stopwatch.GetTimestamp();
        if (start == 0) start = last = now;
        if (now - last > PutAside) busyUntil = now + BusyFor;
        if (crowded || now < busyUntil || now - start > Eager) Thread.Yield();
        last = now;
        return now - start < Patience;
    }
}
