using System.Diagnostics;
using System.Runtime.Intrinsics;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Limits;

/// <summary>How fast all threads together read memory that is in no cache: the limit of everything that streams weights.</summary>
internal sealed unsafe class ReadSpeed : IDisposable
{
    /// <summary>Large enough that no cache holds a part worth mentioning.</summary>
    public const long DefaultBytes = (2L << 30) + (256L << 20);

    private const int ItemBytes = 8 << 20;
    private readonly WorkPool pool;
    private readonly NativeBuffer buffer;

    /// <summary>Takes and fills the memory that will be read, whole pieces of 8 MiB.</summary>
    public ReadSpeed(WorkPool pool, long bytes = DefaultBytes)
    {
        this.pool = pool;
        buffer = new NativeBuffer(Math.Max(1, bytes / ItemBytes) * ItemBytes);
        // Memory nobody wrote to is one page of zeros, over and over, which lies in the cache.
        var fill = new Fill(buffer);
        pool.Run(Items, ref fill);
    }

    /// <summary>Bytes that one measurement reads.</summary>
    public long Bytes => buffer.Bytes;

    private int Items => (int)(buffer.Bytes / ItemBytes);

    /// <summary>Reads all of it once. GB/s (10^9 bytes).</summary>
    public double Measure()
    {
        var job = new Read(buffer);
        var start = Stopwatch.GetTimestamp();
        pool.Run(Items, ref job);
        return Bytes / Stopwatch.GetElapsedTime(start).TotalSeconds / 1e9;
    }

    public void Dispose() => buffer.Dispose();

    private readonly struct Fill(NativeBuffer buffer) : IJob
    {
        public void Execute(int item) => new Span<byte>(buffer.Data + ((long)item * ItemBytes), ItemBytes).Fill(1);
    }

    /// <summary>Eight interleaved streams an item: one alone leaves a tenth of the bandwidth unused.</summary>
    private readonly struct Read(NativeBuffer buffer) : IJob
    {
        public void Execute(int item)
        {
            const nint stream = ItemBytes / 8;
            var p = buffer.Data + ((long)item * ItemBytes);
            var (a, b, c, d) = (Vector256<int>.Zero, Vector256<int>.Zero, Vector256<int>.Zero, Vector256<int>.Zero);
            for (var end = p + stream; p < end; p += 64)
            {
                a ^= Line(p) ^ Line(p + stream);
                b ^= Line(p + (2 * stream)) ^ Line(p + (3 * stream));
                c ^= Line(p + (4 * stream)) ^ Line(p + (5 * stream));
                d ^= Line(p + (6 * stream)) ^ Line(p + (7 * stream));
            }
            if (Vector256.EqualsAny(a ^ b ^ c ^ d, Vector256.Create(-1))) throw new InvalidOperationException("memory changed while it was read");
        }

        private static Vector256<int> Line(byte* p) => Vector256.Load((int*)p) ^ Vector256.Load((int*)(p + 32));
    }
}
