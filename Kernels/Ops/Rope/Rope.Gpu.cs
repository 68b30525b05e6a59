using ILGPU;
using ILGPU.Runtime;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

internal static partial class RopeOp
{
    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<int>, RopeSizes>> Kernel =
        new(RopeKernel);

    private static void RunGpu(GpuStream gpu, Matrix x, int heads, int headDim, RopeTable table, Ints positions)
    {
        var half = table.RotaryDim / 2;
        if (half == 0 || x.Rows == 0) return;
        var sizes = new RopeSizes { Count = checked(x.Rows * heads * half), Heads = heads, HeadDim = headDim, Half = half, Stride = table.Stride };
        Kernel.On(gpu.Device)(gpu.Queue, gpu.Spread(sizes.Count), gpu.View(x), gpu.Device.Mirror(table.Rows), gpu.View(positions), sizes);
    }

    /// <summary>A thread turns one pair: i-th of a half, of one head of one token.</summary>
    internal static void RopeKernel(ArrayView<float> x, ArrayView<float> table, ArrayView<int> positions, RopeSizes sizes)
    {
        for (var n = Grid.GlobalIndex.X; n < sizes.Count; n += Grid.DimX * Group.DimX)
        {
            var head = n / sizes.Half;              // counted over all tokens
            var i = n - (head * sizes.Half);
            var row = (long)positions[head / sizes.Heads] * 2 * sizes.Stride;
            var (cos, sin) = (table[row + i], table[row + sizes.Stride + i]);
            var at = ((long)head * sizes.HeadDim) + i;
            var (a, b) = (x[at], x[at + sizes.Half]);
            x[at] = (a * cos) - (b * sin);
            x[at + sizes.Half] = (b * cos) + (a * sin);
        }
    }

    /// <summary>Parameters of the kernel.</summary>
    internal struct RopeSizes
    {
        public int Count;
        public int Heads;
        public int HeadDim;
        public int Half;
        public int Stride;
    }
}
