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

    /// <summary>
    /// Into <paramref name="bounds"/>[0] the largest key, into [1] the least of the threads' largest: no fewer keys reach it than there are threads.
    /// </summary>
    private static void Bound(ArrayView<uint> keys, int n, ArrayView<uint> bounds)
    {
        var largest = 0u;
        for (var i = Group.IdxX; i < n; i += Group.DimX) largest = keys[i] > largest ? keys[i] : largest;
        bounds[2 * Group.IdxX] = largest;
        bounds[(2 * Group.IdxX) + 1] = largest;
        Group.Barrier();
        for (var half = Group.DimX >> 1; half > 0; half >>= 1)
        {
            if (Group.IdxX < half)
            {
                var other = 2 * (Group.IdxX + half);
                if (bounds[other] > bounds[2 * Group.IdxX]) bounds[2 * Group.IdxX] = bounds[other];
                if (bounds[other + 1] < bounds[(2 * Group.IdxX) + 1]) bounds[(2 * Group.IdxX) + 1] = bounds[other + 1];
            }
            Group.Barrier();
        }
    }

    /// <summary>
    /// Into <paramref name="chosen"/> where the k largest of n keys stand, of equals those in front, ascending; returns how many they are, min(k, n).
    /// The least key to be chosen is found by halving: k keys or more reach <c>low</c>, and fewer anything above <c>high</c>. Then every thread looks
    /// at neighbouring keys, and the counts of those before it tell where its own go.
    /// </summary>
    private static int Choose(ArrayView<uint> keys, int n, int k, ArrayView<uint> bounds, ArrayView<int> chosen, ArrayView<int> counts)
    {
        var wanted = n < k ? n : k;
        var low = 0u;
        var high = 0u;
        if (n > k) high = bounds[0];
        if (n > k && k <= Group.DimX) low = bounds[1];
        if (k == 1) low = high;
        Group.Barrier();
        while (low < high)
        {
            var middle = high - ((high - low) >> 1);
            var reach = 0;
            for (var i = Group.IdxX; i < n; i += Group.DimX) reach += keys[i] >= middle ? 1 : 0;
            reach = Fold(reach, counts);
            if (reach >= k) low = middle;
            else high = middle - 1;
            if (reach == k) high = middle;
        }

        // An odd number of neighbours, so that the threads read from different banks of shared memory. Larger keys are counted in the upper half,
        // equal ones in the lower.
        var each = ((n + Group.DimX - 1) / Group.DimX) | 1;
        var from = Group.IdxX * each;
        var to = from + each < n ? from + each : n;
        var own = 0;
        for (var i = from; i < to; i++)
        {
            // ILGPU makes 0 and 1 of a conditional within a conditional, whatever its values are.
            if (keys[i] > low) own += 1 << 16;
            if (keys[i] == low) own++;
        }
        counts[Group.IdxX] = own;
        Group.Barrier();
        for (var distance = 1; distance < Group.DimX; distance <<= 1)
        {
            var before = 0;
            if (Group.IdxX >= distance) before = counts[Group.IdxX - distance];
            Group.Barrier();
            counts[Group.IdxX] += before;
            Group.Barrier();
        }
        var equals = wanted - (counts[Group.DimX - 1] >> 16);
        var larger = (counts[Group.IdxX] - own) >> 16;
        var equal = (counts[Group.IdxX] - own) & 0xFFFF;
        for (var i = from; i < to; i++)
        {
            var key = keys[i];
            if (key > low || (key == low && equal < equals)) chosen[larger + (equal < equals ? equal : equals)] = i;
            if (key > low) larger++;
            if (key == low) equal++;
        }
        Group.Barrier();
        return wanted;
    }

    /// <summary>Sorts keys and ids, larger keys first, of equals the lower id: a bitonic network, filled up with keys that no value has.</summary>
    private static void Sort(ArrayView<uint> keys, ArrayView<int> ids, int count)
    {
        var size = 1;
        while (size < count) size <<= 1;
        for (var j = count + Group.IdxX; j < size; j += Group.DimX)
        {
            keys[j] = 0;
            ids[j] = int.MaxValue;
        }
        Group.Barrier();
        for (var span = 2; span <= size; span <<= 1)
        {
            for (var step = span >> 1; step > 0; step >>= 1)
            {
                for (var i = Group.IdxX; i < size >> 1; i += Group.DimX)
                {
                    var a = (2 * i) - (i & (step - 1));
                    var b = a + step;
                    var first = keys[a];
                    var second = keys[b];
                    var precedes = 0;
                    if (second > first) precedes = 1;
                    if (second == first && ids[b] < ids[a]) precedes = 1;
                    var forward = (a & span) == 0 ? 1 : 0;
                    if (precedes == forward)
                    {
                        keys[a] = second;
                        keys[b] = first;
                        var id = ids[a];
                        ids[a] = ids[b];
                        ids[b] = id;
                    }
                }
                Group.Barrier();
            }
        }
    }

    private static int Fold(int value, ArrayView<int> folds)
    {
        folds[Group.IdxX] = value;
        Group.Barrier();
        for (var half = Group.DimX >> 1; half > 0; half >>= 1)
        {
            if (Group.IdxX < half) folds[Group.IdxX] += folds[Group.IdxX + half];
            Group.Barrier();
        }
        var sum = folds[0];
        Group.Barrier();
        return sum;
    }

    private static double Fold(double value, ArrayView<double> folds)
    {
        folds[Group.IdxX] = value;
        Group.Barrier();
        for (var half = Group.DimX >> 1; half > 0; half >>= 1)
        {
            if (Group.IdxX < half) folds[Group.IdxX] += folds[Group.IdxX + half];
            Group.Barrier();
        }
        var sum = folds[0];
        Group.Barrier();
        return sum;
    }

    /// <summary>Parameters of the kernels.</summary>
    internal struct TopKSizes
    {
        public int Rows;

        /// <summary>Values to choose from in a row.</summary>
        public int Length;

        /// <summary>Parts that they are cut into.</summary>
        public int Parts;

        public int K;

        /// <summary>Room for values in a row of the list that is read.</summary>
        public int Stride;

        /// <summary>Parts of a row of logits.</summary>
        public int FirstParts;
    }
}
