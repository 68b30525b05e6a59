using ILGPU;
using ILGPU.Runtime;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Weights;

/// <summary>Rows of a GPU weight as float32: the embedding, and what tests compare.</summary>
internal static class GpuRows<T> where T : struct, IGpuFormat
{
    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, GpuWeightView, ArrayView<int>, ArrayView<int>, ArrayView<float>,
        int>> Kernel =
        new(RowsKernel);

    /// <summary>into[i] = row rows[i] of matrix <paramref name="expert"/>.</summary>
    public static void Run(GpuStream gpu, GpuWeight<T> weight, int expert, Ints rows, Matrix into)
    {
        if (into.Rows == 0) return;
        var tile = GpuWeightView.Of(weight, expert);
        Kernel.On(gpu.Device)(gpu.Queue, gpu.Spread((long)into.Rows * weight.Layout.Places), tile, weight.Order, gpu.View(rows), gpu.View(into),
            into.Rows);
    }

    /// <summary>A thread takes one place of one row.</summary>
    internal static void RowsKernel(GpuWeightView w, ArrayView<int> order, ArrayView<int> rows, ArrayView<float> y, int count)
    {
        var places = w.Chunks * (256 / T.Bits);
        for (var n = Grid.GlobalIndex.X; n < count * places; n += Grid.DimX * Group.DimX)
        {
            var place = n % places;
            if (order[place] < 0) continue;
            var row = rows[n / places];
            var chunk = place / (256 / T.Bits);
            var column = place - (chunk * (256 / T.Bits));
            var step = T.Bits == 32 ? 0 : column >> 4;
            var t = T.Bits == 32 ? column >> 1 : (column & 7) >> 1;
            var i = T.Bits == 32 ? column & 1 : (column & 1) + (2 * ((column & 15) >> 3));
            var (tile, pair, half) = (row >> 4, row & 7, (row >> 3) & 1);
            var word = w.Words[((w.FirstTile + tile) * w.Chunks + chunk) * 32 + (pair * 4) + t].Get(T.Word(step, i, half));
            var code = T.Bits == 32 ? word : (word >> T.Shift(step, i, half)) & ((1u << (T.Bits & 31)) - 1);
            var segment = w.SegmentOfStep[place >> 4];
            y[((long)(n / places) * w.Columns) + order[place]] = T.Value(code, w.Zero(tile, segment, pair, half)) * w.Scale(tile, segment, pair,
                half);
        }
    }
}
