using System.Diagnostics;
using System.Runtime.Intrinsics;
using Quilt.Kernels.Devices;

namespace Quilt.Perf.Columns;

/// <summary>How fast all threads together read memory that is in no cache: the limit of everything that streams.</summary>
internal static class ReadSpeed
{
    private const long Bytes = 1L << 30;
    private const int Items = 256;
    private static readonly Lazy<double> Measured = new(Measure);

    public static double GigabytesPerSecond => Measured.Value;

    private static double Measure()
    {
        using var pool = new WorkPool(Environment.ProcessorCount);
        using var buffer = new NativeBuffer(Bytes, zeroed: true);
        var best = double.MaxValue;
        for (var run = 0; run < 4; run++)
        {
            var job = new Read(buffer);
            var start = Stopwatch.GetTimestamp();
            pool.Run(Items, ref job);
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        return Bytes / best / 1e9;
    }

    /// <summary>Eight interleaved streams an item.</summary>
    private readonly unsafe struct Read(NativeBuffer buffer) : IJob
    {
        public void Execute(int item)
        {
            const long stream = Bytes / Items / 8;
            var p = buffer.Data + (item * (Bytes / Items));
            var (a, b) = (Vector512<int>.Zero, Vector512<int>.Zero);
            for (long i = 0; i < stream; i += 64)
            {
                a ^= Vector512.Load((int*)(p + i)) ^ Vector512.Load((int*)(p + stream + i));
                b ^= Vector512.Load((int*)(p + (2 * stream) + i)) ^ Vector512.Load((int*)(p + (3 * stream) + i));
                a ^= Vector512.Load((int*)(p + (4 * stream) + i)) ^ Vector512.Load((int*)(p + (5 * stream) + i));
                b ^= Vector512.Load((int*)(p + (6 * stream) + i)) ^ Vector512.Load((int*)(p + (7 * stream) + i));
            }
            if (Vector512.EqualsAny(a ^ b, Vector512.Create(-1))) throw new InvalidOperationException("zeroed memory is not zero");
        }
    }
}
