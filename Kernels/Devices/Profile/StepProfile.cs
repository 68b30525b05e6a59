using System.Diagnostics;
using Quilt.Kernels.Weights;

namespace Quilt.Kernels.Devices;

/// <summary>
/// Where the time of steps goes on a CPU: an <see cref="OpStream"/> that has one tells it of every operation and of every job of the pool. What an
/// operation does within another counts for the inner one alone, so the parts add up to the whole. Used by the stream's thread.
/// </summary>
/// <param name="threads">Threads of the pool.</param>
/// <param name="parts">What each weight is for; the product of a weight that is not there belongs to <see cref="StepPart.Other"/>.</param>
internal sealed class StepProfile(int threads, IReadOnlyDictionary<Weight, StepPart> parts)
{
    private const int MostNested = 8;
    private readonly PartTotals[] totals = new PartTotals[(int)StepPart.Other + 1];
    private readonly StepPart[] open = new StepPart[MostNested];
    private int depth;
    private long since;

    /// <summary>Threads that could have worked.</summary>
    public int Threads => threads;

    /// <summary>Steps that were watched.</summary>
    public int Steps { get; private set; }

    /// <summary>By <see cref="StepPart"/>.</summary>
    public ReadOnlySpan<PartTotals> Totals => totals;

    private ref PartTotals Current => ref totals[(int)(depth == 0 ? StepPart.Other : open[depth - 1])];

    /// <summary>A step begins.</summary>
    public void BeginStep()
    {
        Steps++;
        depth = 0;
        since = Stopwatch.GetTimestamp();
    }

    /// <summary>It ends.</summary>
    public void EndStep() => Charge();

    /// <summary>Forgets all.</summary>
    public void Clear()
    {
        Array.Clear(totals);
        Steps = 0;
    }

    /// <summary>A part begins.</summary>
    public void Enter(StepPart part)
    {
        Charge();
        Debug.Assert(depth < MostNested, "operations within each other");
        open[depth++] = part;
        Current.Calls++;
    }

    /// <summary>The part that began last ends.</summary>
    public void Leave()
    {
        Charge();
        depth--;
    }

    /// <summary>What the part under way must do at least.</summary>
    public void Must(double bytes, double operations)
    {
        Current.Bytes += bytes;
        Current.Operations += operations;
    }

    /// <summary>The pool ran a job.</summary>
    /// <param name="ticks">From its beginning to its last item's end.</param>
    /// <param name="itemTicks">On its items, all threads together.</param>
    public void Job(long ticks, long itemTicks)
    {
        Current.Jobs++;
        Current.JobTicks += ticks;
        Current.ItemTicks += itemTicks;
    }

    /// <summary>What a weight is for.</summary>
    public StepPart PartOf(Weight weight) => parts.GetValueOrDefault(weight, StepPart.Other);

    private void Charge()
    {
        var now = Stopwatch.GetTimestamp();
        Current.Ticks += now - since;
        since = now;
    }
}
