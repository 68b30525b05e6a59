using ILGPU;
using ILGPU.Runtime;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

internal static partial class RmsNormOp
{
    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, int, int, int,
        int>> SquaresOf =
        new(SquaresKernel, maxThreads: GpuTraits.WideThreads);

    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, SplitSizes>>
        NormByOf = new(NormByKernel, maxThreads: GpuTraits.WideThreads);

    private static void SquaresOnGpu(GpuStream gpu, Matrix q, Matrix k, bool countsKeys, Matrix into)
    {
        if (q.Rows == 0) return;
        SquaresOf.On(gpu.Device)(gpu.Queue, gpu.Groups(2L * q.Rows, q.Columns), gpu.View(q), gpu.View(k), gpu.View(into), q.Rows, q.Columns,
            k.Columns,
            countsKeys ? 1 : 0);
    }

    private static void NormByOnGpu(GpuStream gpu, Matrix x, Matrix squares, int column, int width, NativeBuffer gain, float epsilon)
    {
        if (x.Rows == 0) return;
        var sizes = new SplitSizes { Rows = x.Rows, Columns = x.Columns, Column = column, Width = width, Epsilon = epsilon };
        NormByOf.On(gpu.Device)(gpu.Queue, gpu.Groups(x.Rows, x.Columns), gpu.View(x), gpu.View(squares), gpu.Device.Mirror(gain), sizes);
    }

    /// <summary>A group takes a row of q or of k: each thread sums every DimX-th square, the sums are folded in halves.</summary>
    internal static void SquaresKernel(ArrayView<float> q, ArrayView<float> k, ArrayView<float> y, int rows, int ofQ, int ofK, int countsKeys)
    {
        var sums = SharedMemory.Allocate<float>(GpuTraits.WideThreads);
        for (var item = Grid.IdxX; item < 2 * rows; item += Grid.DimX)
        {
            var row = item >> 1;
            var sum = 0f;
            if ((item & 1) == 0)
            {
                var first = (long)row * ofQ;
                for (var c = Group.IdxX; c < ofQ; c += Group.DimX) sum += q[first + c] * q[first + c];
            }
            else if (countsKeys != 0)
            {
                var first = (long)row * ofK;
                for (var c = Group.IdxX; c < ofK; c += Group.DimX) sum += k[first + c] * k[first + c];
            }
            sums[Group.IdxX] = sum;
            Group.Barrier();
            for (var half = Group.DimX >> 1; half > 0; half >>= 1)
            {
                if (Group.IdxX < half) sums[Group.IdxX] += sums[Group.IdxX + half];
                Group.Barrier();
            }
            if (Group.IdxX == 0) y[item] = sums[0];
            Group.Barrier();
        }
    }

    /// <summary>A group takes a row.</summary>
    internal static void NormByKernel(ArrayView<float> x, ArrayView<float> squares, ArrayView<float> gain, SplitSizes sizes)
    {
        for (var row = Grid.IdxX; row < sizes.Rows; row += Grid.DimX)
        {
            var first = (long)row * sizes.Columns;
            var mean = squares[(2 * row) + sizes.Column] / sizes.Width;
            var scale = 1f / ILGPU.Algorithms.XMath.Sqrt(mean + sizes.Epsilon);
            for (var c = Group.IdxX; c < sizes.Columns; c += Group.DimX) x[first + c] = (x[first + c] * scale) * gain[c];
        }
    }

    /// <summary>Parameters of the kernel.</summary>
    internal struct SplitSizes
    {
        public int Rows;
        public int Columns;
        public int Column;
        public int Width;
        public float Epsilon;
    }
}
