using ILGPU;
using ILGPU.Runtime;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

internal static partial class Elementwise<TOp>
{
    private static readonly GpuKernel<
        Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, int, float>> Kernel = new(ElementKernel);

    private static void RunGpu(GpuStream gpu, Matrix a, Matrix b, Matrix into, float parameter)
    {
        var count = checked(a.Rows * a.Columns);
        if (count == 0) return;
        Kernel.On(gpu.Device)(gpu.Queue, gpu.Spread(count), gpu.View(a), gpu.View(b), gpu.View(into), count, parameter);
    }

    internal static void ElementKernel(ArrayView<float> a, ArrayView<float> b, ArrayView<float> y, int count, float parameter)
    {
        for (var i = Grid.GlobalIndex.X; i < count; i += Grid.DimX * Group.DimX) y[i] = TOp.OnGpu(a[i], b[i], parameter);
    }
}
