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
        if (cost >= WorthSharing && items > 1)
        {
            ops.Device.Pool.Run(items, ref job);
            return;
        }
        for (var item = 0; item < items; item++) job.Execute(item);
    }

    /// <summary>Rows an item takes, so that it holds about <see cref="Chunk"/> elements.</summary>
    public static int RowsAnItem(int columns) => Math.Max(1, Chunk / Math.Max(1, columns));
}
