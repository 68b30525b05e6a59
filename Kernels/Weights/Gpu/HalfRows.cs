using ILGPU;
using ILGPU.Runtime;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Weights;

/// <summary>
/// An input as the right operand of mma instructions: [planes, rows, columns / 32, 4 lanes] of 16 bytes. Lane t of 32 columns has, in pairs of
/// bfloat16, the columns 2t and 2t + 1, then those 8, 16 and 24 further on. Plane 0 holds each value rounded to bfloat16, plane 1, where there is
/// one, what rounding took, rounded too: together 16 bits of mantissa.
/// </summary>
internal static class HalfRows
{
    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<int>, ArrayView<Words4>,
        HalfSizes>> Kernel =
        new(HalvesKernel, KernelNeeds.TensorCores);

    /// <summary>Scratch memory with x in the order of a weight's places.</summary>
    public static ArrayView<Words4> Make(GpuStream gpu, Matrix x, ArrayView<int> order, int places, int planes)
    {
        var halves = gpu.View(gpu.Scratch.Take(x.Rows, places / 2 * planes)).Cast<Words4>();
        var sizes = new HalfSizes { Rows = x.Rows, Columns = x.Columns, Places = places, Planes = planes };
        Kernel.On(gpu.Device)(gpu.Queue, gpu.Spread((long)x.Rows * places / 8), gpu.View(x), order, halves, sizes);
        return halves;
    }

    /// <summary>A thread makes sixteen bytes of each plane.</summary>
    internal static void HalvesKernel(ArrayView<float> x, ArrayView<int> order, ArrayView<Words4> halves, HalfSizes sizes)
    {
        var perRow = sizes.Places / 8;
        var count = sizes.Rows * perRow;
        for (var n = Grid.GlobalIndex.X; n < count; n += Grid.DimX * Group.DimX)
        {
            var row = n / perRow;
            var place = ((n - (row * perRow)) >> 2 << 5) + (2 * (n & 3));
            var from = (long)row * sizes.Columns;
            var (a0, a1) = (At(x, order, from, place), At(x, order, from, place + 1));
            var (b0, b1) = (At(x, order, from, place + 8), At(x, order, from, place + 9));
            var (c0, c1) = (At(x, order, from, place + 16), At(x, order, from, place + 17));
            var (d0, d1) = (At(x, order, from, place + 24), At(x, order, from, place + 25));
            var high = new Words4
            { A = TensorCore.Pack2(a0, a1), B = TensorCore.Pack2(b0, b1), C = TensorCore.Pack2(c0, c1), D = TensorCore.Pack2(d0, d1) };
            halves[n] = high;
            if (sizes.Planes == 1) continue;
            halves[n + count] = new Words4 { A = Rest(a0, a1, high.A), B = Rest(b0, b1, high.B), C = Rest(c0, c1, high.C), D = Rest(d0, d1, high.D) };
        }
    }

    private static float At(ArrayView<float> x, ArrayView<int> order, long from, int place)
    {
        var column = order[place];
        return column < 0 ? 0f : x[from + column];
    }

    private static uint Rest(float low, float high, uint rounded) =>
        TensorCore.Pack2(low - Interop.IntAsFloat(rounded << 16), high - Interop.IntAsFloat(rounded & 0xFFFF0000));

    /// <summary>Parameters of the kernel.</summary>
    internal struct HalfSizes
    {
        public int Rows;
        public int Columns;
        public int Places;
        public int Planes;
    }
}
