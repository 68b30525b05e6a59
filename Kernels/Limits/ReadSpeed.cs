using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Limits;

/// <summary>How fast all threads together read memory that is in no cache: the limit of everything that streams weights.</summary>
internal sealed unsafe class ReadSpeed : IDisposable
{
    /// <summary>Large enough that no cache holds a part worth mentioning.</summary>
    public const long DefaultBytes = (2L << 30) + (256L << 20);

    private const int ItemBytes = 8 << 20;
    private const int ItemsAThread = 4;
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

    /// <summary>Reads it once, a pass after the other, each its own part. GB/s.</summary>
    public Speed Measure()
    {
        var items = Math.Min(Items, ItemsAThread * pool.Threads);
        return Speed.Of(Items / items, (double)items * ItemBytes, pass =>
        {
            var job = new Read(buffer.Data + ((long)pass * items * ItemBytes));
            pool.Run(items, ref job);
        });
    }

    public void Dispose() => buffer.Dispose();

    private readonly struct Fill(NativeBuffer buffer) : IJob
    {
        public void Execute(int item) => new Span<byte>(buffer.Data + ((long)item * ItemBytes), ItemBytes).Fill(1);
    }

    /// <summary>
    /// Eight interleaved streams an item, a cache line of each in turn, in the widest registers that the processor has, whichever set is in use:
    /// halves of lines reach a tenth less, and so does one stream alone. Prefetching by hand, and pages of 2 MiB, change nothing.
    /// </summary>
    private readonly struct Read(byte* from) : IJob
    {
        private const int Stream = ItemBytes / 8;

        public void Execute(int item)
        {
            var p = from + ((long)item * ItemBytes);
            if (Vector512.IsHardwareAccelerated ? !Through512(p) : !Through256(p))
                throw new InvalidOperationException("memory changed while it was read");
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static bool Through512(byte* p)
        {
            var (a, b, c, d) = (Vector512<int>.Zero, Vector512<int>.Zero, Vector512<int>.Zero, Vector512<int>.Zero);
            for (var end = p + Stream; p < end; p += 64)
            {
                a |= Line512(p) | Line512(p + Stream);
                b |= Line512(p + (2 * Stream)) | Line512(p + (3 * Stream));
                c |= Line512(p + (4 * Stream)) | Line512(p + (5 * Stream));
                d |= Line512(p + (6 * Stream)) | Line512(p + (7 * Stream));
            }
            return (a | b | c | d) == Vector512.Create(0x01010101);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static bool Through256(byte* p)
        {
            var (a, b, c, d) = (Vector256<int>.Zero, Vector256<int>.Zero, Vector256<int>.Zero, Vector256<int>.Zero);
            for (var end = p + Stream; p < end; p += 64)
            {
                a |= Line256(p) | Line256(p + Stream);
                b |= Line256(p + (2 * Stream)) | Line256(p + (3 * Stream));
                c |= Line256(p + (4 * Stream)) | Line256(p + (5 * Stream));
                d |= Line256(p + (6 * Stream)) | Line256(p + (7 * Stream));
            }
            return (a | b | c | d) == Vector256.Create(0x01010101);
        }

        private static Vector512<int> Line512(byte* p) => Vector512.Load((int*)p);

        private static Vector256<int> Line256(byte* p) => Vector256.Load((int*)p) | Vector256.Load((int*)(p + 32));
    }
}
