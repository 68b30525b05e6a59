using ILGPU;
using ILGPU.Runtime;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

internal static partial class CombineOp
{
    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<int>, ArrayView<float>,
        int, int, int>> Kernel =
        new(CombineKernel);

    private static void RunGpu(GpuStream gpu, Matrix pairs, ExpertPlan plan, Matrix into)
    {
        var count = checked(into.Rows * into.Columns);
        var on = plan.On(gpu);
        Kernel.On(gpu.Device)(gpu.Queue, gpu.Spread(count), gpu.View(pairs), on.Gates, on.PairOf, gpu.View(into), count, into.Columns, plan.PerToken);
    }

    /// <summary>A thread sums one value of one token.</summary>
    internal static void CombineKernel(ArrayView<float> pairs, ArrayView<float> gates, ArrayView<int> pairOf, ArrayView<float> y, int count,
        int columns, int perToken)
    {
        for (var i = Grid.GlobalIndex.X; i < count; i += Grid.DimX * Group.DimX)
        {
            var token = i / columns;
            var c = i - (token * columns);
            var sum = 0f;
            for (var j = token * perToken; j < (token + 1) * perToken; j++) sum += gates[j] * pairs[((long)pairOf[j] * columns) + c];
            y[i] = sum;
        }
    }
}
