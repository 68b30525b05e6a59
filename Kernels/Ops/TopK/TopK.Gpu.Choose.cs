using ILGPU;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

/// <summary>What the kernels of <see cref="TopKOp"/> share: a group's k largest keys, in order, without atomic operations.</summary>
internal static partial class TopKOp
{
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
            reach = GpuMath.Sum(counts, reach);
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
