using ILGPU;
using ILGPU.Runtime;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

internal static partial class ClampedSwigluOp
{
    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, int,
        float>> Kernel =
        new(ClampedSwigluKernel);

    private static void RunGpu(GpuStream gpu, Matrix gate, Matrix up, float limit, Matrix into)
    {
        var count = checked(gate.Rows * gate.Columns);
        if (count == 0) return;
        Kernel.On(gpu.Device)(gpu.Queue, gpu.Spread(count), gpu.View(gate), gpu.View(up), gpu.View(into), count, limit);
    }

    internal static void ClampedSwigluKernel(ArrayView<float> gate, ArrayView<float> up, ArrayView<float> y, int count, float limit)
    {
        for (var i = Grid.GlobalIndex.X; i < count; i += Grid.DimX * Group.DimX)
        {
            var g = gate[i] < limit ? gate[i] : limit;
            var u = up[i] < limit ? up[i] : limit;
            u = u > -limit ? u : -limit;
            y[i] = (u + 1f) * (g / (1f + GpuMath.Exp(-Alpha * g)));
        }
    }
}
