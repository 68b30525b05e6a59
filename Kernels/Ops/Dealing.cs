using System.Diagnostics;
using System.Runtime.CompilerServices;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

/// <summary>
/// Cuts the work of an operation into items for the pool, and decides by its cost how many threads are asked to help, or that handing it over would
/// cost more than doing it here.
/// </summary>
/// <remarks>
/// The unit of cost is one float that goes through a plain operation of one thread out of its cache: an eighth of a nanosecond, about. What is dearer
/// says how many such floats one of its own is worth.
/// </remarks>
internal static class Dealing
{
    /// <summary>
    /// What a thread must be given for it to be worth asking, about four microseconds. A job costs one (`WorkPoolBench`); asked for a quarter of
    /// this, two threads decoded the demo model a tenth slower than one, since what one wrote the other must fetch.
    /// </summary>
    private const long WorthAThread = 32 * 1024;

    /// <summary>Elements of an item of an elementwise operation; a multiple of 16.</summary>
    public const int Chunk = 16 * 1024;

    /// <summary>Runs all items, on as many threads as <paramref name="cost"/> (all items together) is worth.</summary>
    public static void Deal<TJob>(this OpStream ops, int items, long cost, ref TJob job) where TJob : struct, IJob
    {
        if (ops.Profile is { } profile) DealWatched(ops, profile, items, cost, ref job);
        else TryShare(ops, items, cost, ref job);
    }

    /// <summary>Runs all items. Whether the pool did.</summary>
    private static bool TryShare<TJob>(OpStream ops, int items, long cost, ref TJob job) where TJob : struct, IJob
    {
        var pool = ops.Device.Pool;
        var threads = (int)Math.Min(pool.Useful, cost / WorthAThread);
        if (threads > 1 && items > 1)
        {
            pool.Run(items, threads, ref job);
            return true;
        }
        for (var item = 0; item < items; item++) job.Execute(item);
        return false;
    }

    private static unsafe void DealWatched<TJob>(OpStream ops, StepProfile profile, int items, long cost, ref TJob job) where TJob : struct, IJob
    {
        var ticks = 0L;
        // The job is on the caller's frame, where it stays and where the collector keeps its references up to date.
        var timed = new TimedJob<TJob>(Unsafe.AsPointer(ref job), &ticks);
        var start = Stopwatch.GetTimestamp();
        if (TryShare(ops, items, cost, ref timed)) profile.Job(Stopwatch.GetTimestamp() - start, ticks);
    }

    /// <summary>Rows an item takes, so that it holds about <see cref="Chunk"/> elements.</summary>
    public static int RowsAnItem(int columns) => Math.Max(1, Chunk / Math.Max(1, columns));
}
