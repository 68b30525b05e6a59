using System.Diagnostics;
using ILGPU;
using ILGPU.Runtime;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights;

namespace Quilt.Kernels.Limits;

/// <summary>
/// How fast a GPU copies its own memory: the limit of everything that streams weights. Bytes read and bytes written both count, as vendors count
/// them.
/// </summary>
internal sealed class GpuCopySpeed : IDisposable
{
    /// <summary>Large enough that no cache holds a part worth mentioning.</summary>
    public const long DefaultBytes = 1L << 30;

    private const int Threads = 256;
    private const int Runs = 8;

    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, ArrayView<Words4>, ArrayView<Words4>, long>> Kernel = new(CopyKernel);

    private readonly GpuDevice device;
    private readonly AcceleratorStream queue;
    private readonly MemoryBuffer1D<Words4, Stride1D.Dense> from;
    private readonly MemoryBuffer1D<Words4, Stride1D.Dense> to;

    /// <summary>Takes twice <paramref name="bytes"/> of the device's memory.</summary>
    public GpuCopySpeed(GpuDevice device, long bytes = DefaultBytes)
    {
        this.device = device;
        queue = device.Accelerator.CreateStream();
        from = device.Accelerator.Allocate1D<Words4>(Math.Max(1, bytes / 16));
        to = device.Accelerator.Allocate1D<Words4>(from.Length);
        // Pages that nobody wrote to may all be one page.
        from.MemSetToZero(queue);
        Copy();
        queue.Synchronize();
    }

    /// <summary>GB/s (10^9 bytes), read and written.</summary>
    public double Measure()
    {
        var start = Stopwatch.GetTimestamp();
        for (var run = 0; run < Runs; run++) Copy();
        queue.Synchronize();
        return 2.0 * Runs * from.LengthInBytes / Stopwatch.GetElapsedTime(start).TotalSeconds / 1e9;
    }

    public void Dispose()
    {
        from.Dispose();
        to.Dispose();
        queue.Dispose();
    }

    private void Copy()
    {
        var traits = device.Traits;
        var threads = traits.IsEmulated ? traits.GroupThreads : Math.Min(Threads, device.Accelerator.MaxNumThreadsPerGroup);
        Kernel.On(device)(queue, new KernelConfig(traits.Groups, threads), from.View.BaseView, to.View.BaseView, from.Length);
    }

    // Four loads are under way before the first store.
    internal static void CopyKernel(ArrayView<Words4> from, ArrayView<Words4> to, long count)
    {
        var stride = (long)Grid.DimX * Group.DimX;
        var i = ((long)Grid.IdxX * Group.DimX) + Group.IdxX;
        for (; i + (3 * stride) < count; i += 4 * stride)
        {
            var (a, b, c, d) = (from[i], from[i + stride], from[i + (2 * stride)], from[i + (3 * stride)]);
            to[i] = a;
            to[i + stride] = b;
            to[i + (2 * stride)] = c;
            to[i + (3 * stride)] = d;
        }
        for (; i < count; i += stride) to[i] = from[i];
    }
}
