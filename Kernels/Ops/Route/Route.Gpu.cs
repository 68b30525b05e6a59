using ILGPU;
using ILGPU.Runtime;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

internal static partial class RouteOp
{
    /// <summary>Most experts of a layer on a GPU: their scores stand in shared memory.</summary>
    internal const int MostExpertsOnGpu = 1024;

    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<int>,
        ArrayView<int>, RouteSizes>> Kernel =
        new(RouteKernel, maxThreads: GpuTraits.WideThreads);

    private static void RunGpu(GpuStream gpu, Matrix logits, NativeBuffer? bias, Routing routing, ExpertPlan plan)
    {
        if (logits.Columns > MostExpertsOnGpu)
            throw new NotSupportedException($"Route: expected at most {MostExpertsOnGpu} experts on a GPU, found {logits.Columns}.");
        var on = plan.RoomOn(gpu);
        if (logits.Rows > 0)
        {
            var sizes = new RouteSizes
            {
                Tokens = logits.Rows,
                Experts = logits.Columns,
                PerToken = routing.PerToken,
                Groups = routing.Groups,
                GroupsPerToken = routing.GroupsPerToken,
                HasBias = bias is null ? 0 : 1,
                Softmax = routing.Score == RouterScore.Softmax ? 1 : 0,
                Normalize = routing.Normalize ? 1 : 0,
                Scale = routing.Scale,
                Capacity = on.Capacity,
            };
            var biases = bias is null ? on.Gates : gpu.Device.Mirror(bias);
            Kernel.On(gpu.Device)(gpu.Queue, gpu.Groups(logits.Rows, logits.Columns), gpu.View(logits), biases, on.Gates, on.Ids, on.Sorted, sizes);
        }
        if (logits.Rows != 1) on.Sort(gpu, plan);
    }

    /// <summary>
    /// A group takes a token. Each thread computes every DimX-th expert's score; an expert's rank is how many experts come before it (a larger choice
    /// value, or the same and a lower id), which each thread counts for its own; the first perToken are chosen. Their place among the chosen is the
    /// number of chosen experts with lower ids. A single token's pairs are in order already, so that the plan is finished here.
    /// </summary>
    internal static void RouteKernel(ArrayView<float> logits, ArrayView<float> bias, ArrayView<float> gates, ArrayView<int> ids,
        ArrayView<int> sorted, RouteSizes sizes)
    {
        var scores = SharedMemory.Allocate<float>(MostExpertsOnGpu);
        var choices = SharedMemory.Allocate<float>(MostExpertsOnGpu);
        var ranked = SharedMemory.Allocate<int>(MostExpertsOnGpu);
        var chosen = SharedMemory.Allocate<int>(MostExpertsOnGpu);
        var sums = SharedMemory.Allocate<float>(MostExpertsOnGpu);
        var n = sizes.Experts;
        for (var token = Grid.IdxX; token < sizes.Tokens; token += Grid.DimX)
        {
            var max = sizes.Softmax == 0 ? 0f : Largest(logits, (long)token * n, n);
            for (var e = Group.IdxX; e < n; e += Group.DimX)
            {
                var z = logits[((long)token * n) + e];
                var score = sizes.Softmax == 0 ? GpuMath.Sigmoid(z) : (float)GpuMath.Exp((double)z - max);
                var choice = sizes.HasBias != 0 ? score + bias[e] : sizes.Softmax == 0 ? score : z;
                scores[e] = score;
                choices[e] = choice >= float.NegativeInfinity ? choice : float.NegativeInfinity;    // what is no number is chosen last
            }
            Group.Barrier();
            if (sizes.GroupsPerToken < sizes.Groups) KeepGroups(choices, sums, sizes);
            for (var e = Group.IdxX; e < n; e += Group.DimX)
            {
                var rank = Before(choices, e, n);
                if (rank < sizes.PerToken) ranked[rank] = e;
            }
            Group.Barrier();
            for (var e = Group.IdxX; e < n; e += Group.DimX)
            {
                var (place, own) = (0, 0);
                for (var j = 0; j < sizes.PerToken; j++)
                {
                    place += ranked[j] < e ? 1 : 0;
                    own += ranked[j] == e ? 1 : 0;
                }
                if (own != 0) chosen[place] = e;
                if (sizes.Tokens == 1) Plan(sorted, sizes, e, own, place);
            }
            Group.Barrier();
            for (var j = Group.IdxX; j < sizes.PerToken; j += Group.DimX)
            {
                var sum = Total(scores, chosen, sizes);
                ids[(token * sizes.PerToken) + j] = chosen[j];
                gates[(token * sizes.PerToken) + j] = (float)(scores[chosen[j]] / sum * sizes.Scale);
            }
            Group.Barrier();
        }
    }

    /// <summary>What scores are divided by: 1, or their sum over the chosen experts or over all, in ascending order.</summary>
    private static double Total(ArrayView<float> scores, ArrayView<int> chosen, RouteSizes sizes)
    {
        if (sizes.Softmax == 0 && sizes.Normalize == 0) return 1;
        var sum = 0.0;
        if (sizes.Normalize != 0) for (var i = 0; i < sizes.PerToken; i++) sum += scores[chosen[i]];
        else for (var e = 0; e < sizes.Experts; e++) sum += scores[e];
        return sum;
    }

    /// <summary>An expert's part of the plan of a single token (<see cref="GpuPlan"/>).</summary>
    private static void Plan(ArrayView<int> sorted, RouteSizes sizes, int expert, int chosen, int place)
    {
        var lists = 3 * sizes.Capacity;
        sorted[lists + expert] = place;
        if (chosen != 0)
        {
            sorted[place] = 0;
            sorted[sizes.Capacity + place] = expert;
            sorted[(2 * sizes.Capacity) + place] = place;
            sorted[lists + sizes.Experts + 2 + place] = expert;
        }
        if (expert != sizes.Experts - 1) return;
        sorted[lists + sizes.Experts] = sizes.PerToken;
        sorted[lists + sizes.Experts + 1] = sizes.PerToken;
    }

    /// <summary>How many of the first <paramref name="n"/> values come before the e-th: larger ones, and of equals those in front.</summary>
    private static int Before(ArrayView<float> values, int e, int n)
    {
        var own = values[e];
        var before = 0;
        var other = 0;
        // By fours: the compiler unrolls nothing, and one load would wait for the comparison before it.
        for (; other + 3 < n; other += 4)
        {
            var (a, b, c, d) = (values[other], values[other + 1], values[other + 2], values[other + 3]);
            before += Precedes(a, other, own, e) + Precedes(b, other + 1, own, e) + Precedes(c, other + 2, own, e) + Precedes(d, other + 3, own, e);
        }
        for (; other < n; other++) before += Precedes(values[other], other, own, e);
        return before;
    }

    private static int Precedes(float value, int other, float own, int e) =>
        (value > own ? 1 : 0) + ((value == own ? 1 : 0) & (other < e ? 1 : 0));

    private static float Largest(ArrayView<float> values, long first, int n)
    {
        var largest = float.NegativeInfinity;
        for (var i = 0; i < n; i++) largest = values[first + i] > largest ? values[first + i] : largest;
        return largest;
    }

    /// <summary>Takes the experts of all but the best groups out of the choice; a group is as good as its two best experts together.</summary>
    private static void KeepGroups(ArrayView<float> choices, ArrayView<float> sums, RouteSizes sizes)
    {
        var size = sizes.Experts / sizes.Groups;
        for (var g = Group.IdxX; g < sizes.Groups; g += Group.DimX)
        {
            var (first, second) = (float.NegativeInfinity, float.NegativeInfinity);
            for (var e = g * size; e < (g + 1) * size; e++)
            {
                var value = choices[e];
                second = value > first ? first : value > second ? value : second;
                first = value > first ? value : first;
            }
            sums[g] = size == 1 ? first : first + second;
        }
        Group.Barrier();
        for (var e = Group.IdxX; e < sizes.Experts; e += Group.DimX)
        {
            if (Before(sums, e / size, sizes.Groups) >= sizes.GroupsPerToken) choices[e] = float.NegativeInfinity;
        }
        Group.Barrier();
    }

    /// <summary>Parameters of the kernel.</summary>
    internal struct RouteSizes
    {
        public int Tokens;
        public int Experts;
        public int PerToken;
        public int Groups;
        public int GroupsPerToken;
        public int HasBias;
        public int Softmax;
        public int Normalize;
        public float Scale;

        /// <summary>Pairs that the plan has room for.</summary>
        public int Capacity;
    }
}
