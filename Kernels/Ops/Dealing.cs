using System.Diagnostics;
using System.Runtime.CompilerServices;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

/// <summary>
/// Cuts the work of an operation into items for the pool, or keeps it on this thread where handing it over would cost more than doing it.
/// </summary>
internal static class Dealing
{
    /// <summary>Floats that one thread passes through in about the time it takes another to join (a few microseconds).</summary>
    private const long WorthSharing = 32 * 1024;

    /// <summary>Elements of an item of an elementwise operation; a multiple of 16.</summary>
    public const int Chunk = 16 * 1024;

    /// <summary>Runs all items; on the pool if <paramref name="cost"/> (floats passed through, all items together) is worth it.</summary>
    public static void Deal<TJob>(this OpStream ops, int items, long cost, ref TJob job) where TJob : struct, IJob
    {
        if (ops.Profile is { } profile) DealWatched(ops, profile, items, cost, ref job);
        else TryShare(ops, items, cost, ref job);
    }

    /// <summary>Runs all items. Whether the pool did.</summary>
    private static bool TryShare<TJob>(OpStream ops, int items, long cost, ref TJob job) where TJob : struct, IJob
    {
        if (cost >= WorthSharing && items > 1)
        {
            ops.Device.Pool.Run(items, ref job);
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
