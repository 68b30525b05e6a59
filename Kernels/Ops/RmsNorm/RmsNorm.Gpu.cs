using ILGPU;
using ILGPU.Runtime;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

internal static partial class RmsNormOp
{
    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, int, int,
        float>> Kernel =
        new(RmsNormKernel, maxThreads: GpuTraits.WideThreads);

    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>,
        int, int, float>> AddKernel =
        new(AddRmsNormKernel, maxThreads: GpuTraits.WideThreads);

    private static void RunGpu(GpuStream gpu, Matrix x, NativeBuffer gain, float epsilon, Matrix into)
    {
        if (x.Rows == 0) return;
        Kernel.On(gpu.Device)(gpu.Queue, gpu.Groups(x.Rows, x.Columns), gpu.View(x), gpu.Device.Mirror(gain), gpu.View(into), x.Rows, x.Columns,
            epsilon);
    }

    private static void RunGpu(GpuStream gpu, Matrix update, Matrix x, NativeBuffer gain, float epsilon, Matrix into)
    {
        if (x.Rows == 0) return;
        AddKernel.On(gpu.Device)(gpu.Queue, gpu.Groups(x.Rows, x.Columns), gpu.View(update), gpu.View(x), gpu.Device.Mirror(gain), gpu.View(into),
            x.Rows,
            x.Columns, epsilon);
    }

    /// <summary>A group takes a row: each thread sums every DimX-th square, the sums are folded in halves.</summary>
    internal static void RmsNormKernel(ArrayView<float> x, ArrayView<float> gain, ArrayView<float> y, int rows, int columns, float epsilon)
    {
        var sums = SharedMemory.Allocate<float>(GpuTraits.WideThreads);
        for (var row = Grid.IdxX; row < rows; row += Grid.DimX)
        {
            var first = (long)row * columns;
            var sum = 0f;
            for (var c = Group.IdxX; c < columns; c += Group.DimX) sum += x[first + c] * x[first + c];
            var scale = GpuMath.Rms(sums, sum, columns, epsilon);
            for (var c = Group.IdxX; c < columns; c += Group.DimX) y[first + c] = (x[first + c] * scale) * gain[c];
        }
    }

    internal static void AddRmsNormKernel(ArrayView<float> update, ArrayView<float> x, ArrayView<float> gain, ArrayView<float> y, int rows,
        int columns, float epsilon)
    {
        var sums = SharedMemory.Allocate<float>(GpuTraits.WideThreads);
        for (var row = Grid.IdxX; row < rows; row += Grid.DimX)
        {
            var first = (long)row * columns;
            var sum = 0f;
            for (var c = Group.IdxX; c < columns; c += Group.DimX)
            {
                var value = x[first + c] + update[first + c];
                x[first + c] = value;
                sum += value * value;
            }
            var scale = GpuMath.Rms(sums, sum, columns, epsilon);
            for (var c = Group.IdxX; c < columns; c += Group.DimX) y[first + c] = (x[first + c] * scale) * gain[c];
        }
    }
}
