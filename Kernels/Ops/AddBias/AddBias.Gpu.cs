using ILGPU;
using ILGPU.Runtime;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

internal static partial class AddBiasOp
{
    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<int>, ArrayView<float>, int, int>> Kernel =
        new(AddBiasKernel);
    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<int>, ArrayView<float>, int,
        int>> ByExpert =
        new(AddExpertBiasKernel);

    private static void RunGpu(GpuStream gpu, NativeBuffer bias, Matrix into, ExpertPlan? plan)
    {
        var count = checked(into.Rows * into.Columns);
        if (count == 0) return;
        var biases = gpu.Device.Mirror(bias);
        // Without a plan nothing is read of the pairs; a view must be given all the same.
        var experts = plan?.On(gpu).PairExpert ?? biases.Cast<int>();
        (plan is null ? Kernel : ByExpert).On(gpu.Device)(gpu.Queue, gpu.Spread(count), biases, experts, gpu.View(into), count, into.Columns);
    }

    internal static void AddBiasKernel(ArrayView<float> bias, ArrayView<int> pairExpert, ArrayView<float> y, int count, int columns)
    {
        for (var i = Grid.GlobalIndex.X; i < count; i += Grid.DimX * Group.DimX) y[i] += bias[i % columns];
    }

    internal static void AddExpertBiasKernel(ArrayView<float> bias, ArrayView<int> pairExpert, ArrayView<float> y, int count, int columns)
    {
        for (var i = Grid.GlobalIndex.X; i < count; i += Grid.DimX * Group.DimX)
        {
            var pair = i / columns;
            y[i] += bias[((long)pairExpert[pair] * columns) + (i - (pair * columns))];
        }
    }
}
