using ILGPU;
using ILGPU.Runtime;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Weights;

/// <summary>
/// An input as the right operand of mma instructions on FP8: codes [rows, columns / 64, 4 lanes] of 16 bytes, and a float32 scale for each 128
/// columns of a row, by which a code is to be multiplied (its largest magnitude / 448, as published FP8 checkpoints are meant to be run). Lane t of
/// 32 columns has the columns 2t, 2t + 1, 2t + 8 and 2t + 9 in one word, those 16 further on in the next.
/// </summary>
internal static class Fp8Rows
{
    /// <summary>Columns with one scale.</summary>
    public const int Segment = 128;

    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<int>, ArrayView<Words4>, ArrayView<float>,
        Fp8Sizes>> Kernel =
        new(CodesKernel);

    /// <summary>Scratch memory with x in the order of a weight's places.</summary>
    public static (ArrayView<Words4> Codes, ArrayView<float> Scales) Make(GpuStream gpu, Matrix x, ArrayView<int> order, int places)
    {
        var codes = gpu.View(gpu.Scratch.Take(x.Rows, places / 4)).Cast<Words4>();
        var scales = gpu.View(gpu.Scratch.Take(x.Rows, places / Segment));
        var sizes = new Fp8Sizes { Rows = x.Rows, Columns = x.Columns, Places = places };
        Kernel.On(gpu.Device)(gpu.Queue, gpu.Spread((long)x.Rows * places / Segment * 4), gpu.View(x), order, codes, scales, sizes);
        return (codes, scales);
    }

    /// <summary>A thread makes one lane's codes of a segment; the largest magnitude each of the four finds for itself.</summary>
    internal static void CodesKernel(ArrayView<float> x, ArrayView<int> order, ArrayView<Words4> codes, ArrayView<float> scales, Fp8Sizes sizes)
    {
        var segments = sizes.Places / Segment;
        for (var n = Grid.GlobalIndex.X; n < sizes.Rows * segments * 4; n += Grid.DimX * Group.DimX)
        {
            var (row, lane) = ((n >> 2) / segments, n & 3);
            var place = ((n >> 2) - (row * segments)) * Segment;
            var from = (long)row * sizes.Columns;
            var largest = 0f;
            for (var c = 0; c < Segment; c++)
            {
                var value = At(x, order, from, place + c);
                value = value < 0 ? -value : value;
                largest = value > largest ? value : largest;
            }
            var scale = largest * (1f / 448f);
            var inverse = scale > 0f ? 1f / scale : 0f;
            if (lane == 0) scales[n >> 2] = scale;
            var to = ((n >> 2) * 8) + lane;
            codes[to] = Codes(x, order, from, place + (2 * lane), inverse);
            codes[to + 4] = Codes(x, order, from, place + 64 + (2 * lane), inverse);
        }
    }

    private static Words4 Codes(ArrayView<float> x, ArrayView<int> order, long from, int place, float inverse) => new()
    {
        A = Four(x, order, from, place, inverse),
        B = Four(x, order, from, place + 16, inverse),
        C = Four(x, order, from, place + 32, inverse),
        D = Four(x, order, from, place + 48, inverse),
    };

    private static uint Four(ArrayView<float> x, ArrayView<int> order, long from, int place, float inverse) =>
        GpuMath.ToE4M3(At(x, order, from, place) * inverse) | (GpuMath.ToE4M3(At(x, order, from, place + 1) * inverse) << 8)
        | (GpuMath.ToE4M3(At(x, order, from, place + 8) * inverse) << 16) | (GpuMath.ToE4M3(At(x, order, from, place + 9) * inverse) << 24);

    private static float At(ArrayView<float> x, ArrayView<int> order, long from, int place)
    {
        var column = order[place];
        return column < 0 ? 0f : x[from + column];
    }

    /// <summary>Parameters of the kernel.</summary>
    internal struct Fp8Sizes
    {
        public int Rows;
        public int Columns;
        public int Places;
    }
}
