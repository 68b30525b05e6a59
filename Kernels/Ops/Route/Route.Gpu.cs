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
        new(RouteKernel);

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
            Kernel.On(gpu.Device)(gpu.Queue, gpu.Groups(logits.Rows), gpu.View(logits), biases, on.Gates, on.Ids, on.Sorted, sizes);
        }
        if (logits.Rows != 1) on.Sort(gpu, plan);
    }

    /// <summary>
    /// A group takes a token. Each thread computes every DimX-th expert's score; an expert is chosen if fewer than perToken experts come before it (a
    /// larger choice value, or the same and a lower id), which each thread counts for its own; its place among the chosen is the number of chosen
    /// experts with lower ids. A single token's pairs are in order already, so that the plan is finished here.
    /// </summary>
    internal static void RouteKernel(ArrayView<float> logits, ArrayView<float> bias, ArrayView<float> gates, ArrayView<int> ids,
        ArrayView<int> sorted, RouteSizes sizes)
    {
        var scores = SharedMemory.Allocate<float>(MostExpertsOnGpu);
        var choices = SharedMemory.Allocate<float>(MostExpertsOnGpu);
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
            for (var e = Group.IdxX; e < n; e += Group.DimX) chosen[e] = Before(choices, e, n) < sizes.PerToken ? 1 : 0;
            Group.Barrier();
            for (var e = Group.IdxX; e < n; e += Group.DimX)
            {
                if (chosen[e] == 0 && sizes.Tokens != 1) continue;
                var place = 0;
                var sum = 0.0;
                for (var other = 0; other < n; other++)
                {
                    if (chosen[other] != 0 || (sizes.Softmax != 0 && sizes.Normalize == 0)) sum += scores[other];
                    if (chosen[other] != 0 && other < e) place++;
                }
                if (sizes.Tokens == 1) Plan(sorted, sizes, e, chosen[e], place);
                if (chosen[e] == 0) continue;
                if (sizes.Softmax == 0 && sizes.Normalize == 0) sum = 1;
                ids[(token * sizes.PerToken) + place] = e;
                gates[(token * sizes.PerToken) + place] = (float)(scores[e] / sum * sizes.Scale);
            }
            Group.Barrier();
        }
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
        for (var other = 0; other < n; other++)
        {
            var value = values[other];
            if (value > own || (value == own && other < e)) before++;
        }
        return before;
    }

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
