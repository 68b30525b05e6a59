using System.Diagnostics;
using ILGPU;
using ILGPU.Runtime;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Limits;

/// <summary>
/// How many operations a second a GPU's tensor cores make on registers alone (bfloat16 in, float32 out): the limit of reading a prompt. A
/// multiplication and an addition are two operations. NaN where there are no such instructions.
/// </summary>
internal sealed class GpuMatrixSpeed : IDisposable
{
    private const int Threads = 256;
    private const int Rounds = 4096;
    private const int PerRound = 8;

    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, ArrayView<float>, int>> Kernel =
        new(MultiplyKernel, KernelNeeds.TensorCores, Threads, 2);

    private readonly GpuDevice device;
    private readonly AcceleratorStream queue;
    private readonly MemoryBuffer1D<float, Stride1D.Dense> sums;

    public GpuMatrixSpeed(GpuDevice device)
    {
        this.device = device;
        queue = device.Accelerator.CreateStream();
        sums = device.Accelerator.Allocate1D<float>(1);
    }

    /// <summary>GOP/s (10^9 operations a second).</summary>
    public double Measure()
    {
        if (!device.Traits.TensorCores) return double.NaN;
        var (threads, rounds) = device.Traits.IsEmulated ? (32, 1) : (Threads, Rounds);
        var start = Stopwatch.GetTimestamp();
        Kernel.On(device)(queue, new KernelConfig(device.Traits.Groups, threads), sums.View.BaseView, rounds);
        queue.Synchronize();
        return 2.0 * 16 * 8 * 16 * PerRound * rounds * device.Traits.Groups * (threads / 32) / Stopwatch.GetElapsedTime(start).TotalSeconds / 1e9;
    }

    public void Dispose()
    {
        sums.Dispose();
        queue.Dispose();
    }

    // Eight sums that do not wait for each other. The store at the end keeps a compiler from leaving them out.
    internal static void MultiplyKernel(ArrayView<float> y, int rounds)
    {
        var x = (uint)(Group.IdxX & 31) * 0x00010001;
        var (a, b, c, d) = (default(Acc4), default(Acc4), default(Acc4), default(Acc4));
        var (e, f, g, h) = (default(Acc4), default(Acc4), default(Acc4), default(Acc4));
        for (var i = 0; i < rounds; i++)
        {
            a = TensorCore.Multiply(a, x, x, x, x, x, x);
            b = TensorCore.Multiply(b, x, x, x, x, x, x);
            c = TensorCore.Multiply(c, x, x, x, x, x, x);
            d = TensorCore.Multiply(d, x, x, x, x, x, x);
            e = TensorCore.Multiply(e, x, x, x, x, x, x);
            f = TensorCore.Multiply(f, x, x, x, x, x, x);
            g = TensorCore.Multiply(g, x, x, x, x, x, x);
            h = TensorCore.Multiply(h, x, x, x, x, x, x);
        }
        var sum = a.A + b.B + c.C + d.D + e.A + f.B + g.C + h.D;
        if (sum == -1f) y[0] = sum;
    }
}
