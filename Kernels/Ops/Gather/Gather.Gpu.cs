using ILGPU;
using ILGPU.Runtime;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

internal static partial class GatherOp
{
    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<int>, ArrayView<float>, int, int>> Kernel =
        new(GatherKernel);

    private static void RunGpu(GpuStream gpu, Matrix x, Ints rows, Matrix into)
    {
        if (into.Rows == 0) return;
        var count = checked(into.Rows * into.Columns);
        Kernel.On(gpu.Device)(gpu.Queue, gpu.Spread(count), gpu.View(x), gpu.View(rows), gpu.View(into), count, into.Columns);
    }

    internal static void GatherKernel(ArrayView<float> x, ArrayView<int> rows, ArrayView<float> y, int count, int columns)
    {
        for (var i = Grid.GlobalIndex.X; i < count; i += Grid.DimX * Group.DimX)
        {
            var row = i / columns;
            y[i] = x[((long)rows[row] * columns) + (i - (row * columns))];
        }
    }
}
