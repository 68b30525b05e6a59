using ILGPU;
using ILGPU.Runtime;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

internal static partial class AddOp
{
    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, int>> Kernel = new(AddKernel);

    private static void RunGpu(GpuStream gpu, Matrix x, Matrix into)
    {
        var count = checked(x.Rows * x.Columns);
        Kernel.On(gpu.Device)(gpu.Queue, gpu.Spread(count), gpu.View(x), gpu.View(into), count);
    }

    internal static void AddKernel(ArrayView<float> x, ArrayView<float> y, int count)
    {
        for (var i = Grid.GlobalIndex.X; i < count; i += Grid.DimX * Group.DimX) y[i] += x[i];
    }
}
