using ILGPU;
using ILGPU.Runtime;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

internal static partial class TopKOp
{
    /// <summary>Values that a group chooses from: they stand in shared memory.</summary>
    private const int PartSize = 4096;

    /// <summary>Of a part of a row: its largest value, the sum, the sum with the scale.</summary>
    private const int SumsAPart = 3;

    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<int>, ArrayView<float>, ArrayView<float>,
        TopKSizes>> First =
        new(FirstKernel);
    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<int>, ArrayView<float>,
        TopKSizes>> Merge =
        new(MergeKernel);

    private static int Parts(int length) => (length + PartSize - 1) / PartSize;

    /// <summary>How many are left of a row once k were chosen from each of its parts.</summary>
    private static int Chosen(int length, int k) => ((Parts(length) - 1) * k) + Math.Min(k, length - ((Parts(length) - 1) * PartSize));

    // A row is cut into parts; k are chosen from each, and again from what was chosen, until one part is left.
    private static void RunGpu(GpuStream gpu, Matrix logits, int k, Ints scales, Matrix into)
    {
        if (logits.Rows == 0) return;
        var mark = gpu.Scratch.Mark();
        var scale = gpu.View(scales);
        var sizes = new TopKSizes { Rows = logits.Rows, Length = logits.Columns, Parts = Parts(logits.Columns), K = k };
        sizes.FirstParts = sizes.Parts;
        var sums = gpu.Scratch.Take(sizes.Rows * sizes.Parts, SumsAPart);
        var list = gpu.Scratch.Take(sizes.Rows, 2 * sizes.Parts * k);
        First.On(gpu.Device)(gpu.Queue, Groups(gpu, sizes), gpu.View(logits), scale, gpu.View(list), gpu.View(sums), sizes);
        do
        {
            sizes.Stride = sizes.Parts * k;
            sizes.Length = Chosen(sizes.Length, k);
            sizes.Parts = Parts(sizes.Length);
            var next = sizes.Parts == 1 ? into : gpu.Scratch.Take(sizes.Rows, 2 * sizes.Parts * k);
            Merge.On(gpu.Device)(gpu.Queue, Groups(gpu, sizes), gpu.View(list), gpu.View(sums), scale, gpu.View(next), sizes);
            list = next;
        }
        while (sizes.Parts > 1);
        gpu.Scratch.Release(mark);
    }

    private static KernelConfig Groups(GpuStream gpu, in TopKSizes sizes) =>
        new(Math.Min(sizes.Rows * sizes.Parts, gpu.Device.Traits.Groups), gpu.Device.Traits.IsCuda
            ? GpuTraits.MostThreads
            : gpu.Device.Traits.GroupThreads);

    /// <summary>A group takes a part of a row: chooses k of it, in the order in which they stand there, and sums its exponentials.</summary>
    internal static void FirstKernel(ArrayView<float> logits, ArrayView<int> scales, ArrayView<float> list, ArrayView<float> sums, TopKSizes sizes)
    {
        var keys = SharedMemory.Allocate<uint>(PartSize);
        var chosen = SharedMemory.Allocate<int>(MostK);
        var bounds = SharedMemory.Allocate<uint>(2 * GpuTraits.MostThreads);
        var counts = SharedMemory.Allocate<int>(GpuTraits.MostThreads);
        var folds = SharedMemory.Allocate<double>(GpuTraits.MostThreads);
        for (var item = Grid.IdxX; item < sizes.Rows * sizes.Parts; item += Grid.DimX)
        {
            var row = item / sizes.Parts;
            var part = item - (row * sizes.Parts);
            var start = part * PartSize;
            var n = sizes.Length - start < PartSize ? sizes.Length - start : PartSize;
            var x = logits.SubView(((long)row * sizes.Length) + start, n);
            for (var i = Group.IdxX; i < n; i += Group.DimX) keys[i] = Key(Interop.FloatAsInt(x[i]));
            Group.Barrier();
            Bound(keys, n, bounds);
            var largest = bounds[0];
            var k = Choose(keys, n, sizes.K, bounds, chosen, counts);

            var top = Interop.IntAsFloat(Bits(largest));
            var scale = Interop.IntAsFloat((uint)scales[row]);
            var sum = 0.0;
            var scaled = 0.0;
            if (largest > Lowest)
            {
                for (var i = Group.IdxX; i < n; i += Group.DimX)
                {
                    var below = Interop.IntAsFloat(Bits(keys[i])) - top;
                    sum += GpuMath.Exp(below);
                    if (scale != 0f) scaled += GpuMath.Exp(below * scale);
                }
            }
            sum = Fold(sum, folds);
            scaled = Fold(scaled, folds);
            if (Group.IdxX == 0)
            {
                sums[item * SumsAPart] = top;
                sums[(item * SumsAPart) + 1] = (float)sum;
                sums[(item * SumsAPart) + 2] = (float)scaled;
            }

            var values = list.SubView((((long)row * 2 * sizes.Parts) + part) * sizes.K, k);
            var ids = list.SubView((((((long)row * 2) + 1) * sizes.Parts) + part) * sizes.K, k);
            for (var j = Group.IdxX; j < k; j += Group.DimX)
            {
                values[j] = Interop.IntAsFloat(Bits(keys[chosen[j]]));
                ids[j] = start + chosen[j];
            }
            Group.Barrier();
        }
    }

    /// <summary>
    /// A group takes a part of a row's list: chooses k of it and sorts them. In a list equals stand with ascending ids. With one part a row it is the
    /// last launch, which also puts the sums of the row's parts together.
    /// </summary>
    internal static void MergeKernel(ArrayView<float> list, ArrayView<float> sums, ArrayView<int> scales, ArrayView<float> into, TopKSizes sizes)
    {
        var keys = SharedMemory.Allocate<uint>(PartSize);
        var chosen = SharedMemory.Allocate<int>(MostK);
        var bounds = SharedMemory.Allocate<uint>(2 * GpuTraits.MostThreads);
        var counts = SharedMemory.Allocate<int>(GpuTraits.MostThreads);
        var folds = SharedMemory.Allocate<double>(GpuTraits.MostThreads);
        var sorted = SharedMemory.Allocate<uint>(MostK);
        for (var item = Grid.IdxX; item < sizes.Rows * sizes.Parts; item += Grid.DimX)
        {
            var row = item / sizes.Parts;
            var part = item - (row * sizes.Parts);
            var start = part * PartSize;
            var n = sizes.Length - start < PartSize ? sizes.Length - start : PartSize;
            var x = list.SubView(((long)row * 2 * sizes.Stride) + start, n);
            var names = list.SubView((((long)row * 2) + 1) * sizes.Stride + start, n);
            for (var i = Group.IdxX; i < n; i += Group.DimX) keys[i] = Key(Interop.FloatAsInt(x[i]));
            Group.Barrier();
            Bound(keys, n, bounds);
            var largest = bounds[0];
            var k = Choose(keys, n, sizes.K, bounds, chosen, counts);
            for (var j = Group.IdxX; j < k; j += Group.DimX)
            {
                sorted[j] = keys[chosen[j]];
                chosen[j] = (int)names[chosen[j]];
            }
            Sort(sorted, chosen, k);

            // A row of a list is k values a part and then k ids a part; one of the result k values, k ids and two sums.
            var stride = sizes.Parts * sizes.K;
            var width = sizes.Parts == 1 ? (2 * sizes.K) + 2 : 2 * stride;
            var to = into.SubView(((long)row * width) + (part * sizes.K), width - (part * sizes.K));
            for (var j = Group.IdxX; j < k; j += Group.DimX)
            {
                to[j] = Interop.IntAsFloat(Bits(sorted[j]));
                to[stride + j] = chosen[j];
            }
            if (sizes.Parts == 1)
            {
                var top = Interop.IntAsFloat(Bits(largest));
                var scale = Interop.IntAsFloat((uint)scales[row]);
                var sum = 0.0;
                var scaled = 0.0;
                for (var p = Group.IdxX; p < sizes.FirstParts; p += Group.DimX)
                {
                    var from = ((row * sizes.FirstParts) + p) * SumsAPart;
                    if (!(sums[from] > float.NegativeInfinity)) continue;
                    sum += sums[from + 1] * GpuMath.Exp(sums[from] - top);
                    scaled += sums[from + 2] * GpuMath.Exp((sums[from] - top) * scale);
                }
                sum = Fold(sum, folds);
                scaled = Fold(scaled, folds);
                if (Group.IdxX == 0)
                {
                    to[2 * sizes.K] = (float)sum;
                    to[(2 * sizes.K) + 1] = (float)scaled;
                }
            }
            Group.Barrier();
        }
    }

    /// <summary>The key of −∞.</summary>
    private const uint Lowest = 0x007FFFFF;
}
