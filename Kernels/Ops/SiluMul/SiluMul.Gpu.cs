using ILGPU;
using ILGPU.Runtime;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

internal static partial class SiluMulOp
{
    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, int>> Kernel =
        new(SiluMulKernel);

    private static void RunGpu(GpuStream gpu, Matrix gate, Matrix up, Matrix into)
    {
        var count = checked(gate.Rows * gate.Columns);
        Kernel.On(gpu.Device)(gpu.Queue, gpu.Spread(count), gpu.View(gate), gpu.View(up), gpu.View(into), count);
    }

    internal static void SiluMulKernel(ArrayView<float> gate, ArrayView<float> up, ArrayView<float> y, int count)
    {
        for (var i = Grid.GlobalIndex.X; i < count; i += Grid.DimX * Group.DimX) y[i] = Silu(gate[i]) * up[i];
    }

    internal static float Silu(float x) => x / (1f + GpuMath.Exp(-x));
}
