using ILGPU;
using ILGPU.Runtime;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

internal static partial class TakeOutOp
{
    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<int>, ArrayView<float>, int>> Kernel =
        new(TakeOutKernel);

    private static void RunGpu(GpuStream gpu, Matrix x, Ints places, Matrix into)
    {
        if (places.Length == 0) return;
        Kernel.On(gpu.Device)(gpu.Queue, gpu.Spread(places.Length), gpu.View(x), gpu.View(places), gpu.View(into), places.Length);
    }

    internal static void TakeOutKernel(ArrayView<float> x, ArrayView<int> places, ArrayView<float> y, int count)
    {
        for (var i = Grid.GlobalIndex.X; i < count; i += Grid.DimX * Group.DimX)
        {
            y[i] = x[places[i]];
            x[places[i]] = float.NegativeInfinity;
        }
    }
}
