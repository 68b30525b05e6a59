using ILGPU;
using ILGPU.Runtime;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

internal static partial class RouteOp
{
    /// <summary>Most experts of a layer on a GPU: their scores stand in shared memory.</summary>
    internal const int MostExpertsOnGpu = 1024;

    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<int>, RouteSizes>> Kernel = new(RouteKernel);

    private static void RunGpu(GpuStream gpu, Matrix logits, NativeBuffer? bias, int perToken, ExpertPlan plan)
    {
        if (logits.Columns > MostExpertsOnGpu) throw new NotSupportedException($"Route: expected at most {MostExpertsOnGpu} experts on a GPU, found {logits.Columns}.");
        var on = plan.RoomOn(gpu);
        if (logits.Rows > 0)
        {
            var sizes = new RouteSizes { Tokens = logits.Rows, Experts = logits.Columns, PerToken = perToken, HasBias = bias is null ? 0 : 1 };
            var biases = bias is null ? on.Gates : gpu.Device.Mirror(bias);
            Kernel.On(gpu.Device)(gpu.Queue, gpu.Groups(logits.Rows), gpu.View(logits), biases, on.Gates, on.Ids, sizes);
        }
        on.Sort(gpu, plan);
    }

    /// <summary>
    /// A group takes a token. Each thread computes every DimX-th expert's score; an expert is chosen if fewer than perToken experts come before it (a larger choice
    /// value, or the same and a lower id), which each thread counts for its own; its place among the chosen is the number of chosen experts with lower ids.
    /// </summary>
    internal static void RouteKernel(ArrayView<float> logits, ArrayView<float> bias, ArrayView<float> gates, ArrayView<int> ids, RouteSizes sizes)
    {
        var scores = SharedMemory.Allocate<float>(MostExpertsOnGpu);
        var choices = SharedMemory.Allocate<float>(MostExpertsOnGpu);
        var chosen = SharedMemory.Allocate<int>(MostExpertsOnGpu);
        var n = sizes.Experts;
        for (var token = Grid.IdxX; token < sizes.Tokens; token += Grid.DimX)
        {
            for (var e = Group.IdxX; e < n; e += Group.DimX)
            {
                var score = GpuMath.Sigmoid(logits[((long)token * n) + e]);
                var choice = sizes.HasBias == 0 ? score : score + bias[e];
                scores[e] = score;
                choices[e] = choice >= float.NegativeInfinity ? choice : float.NegativeInfinity;    // what is no number is chosen last
            }
            Group.Barrier();
            for (var e = Group.IdxX; e < n; e += Group.DimX)
            {
                var own = choices[e];
                var before = 0;
                for (var other = 0; other < n; other++)
                {
                    var value = choices[other];
                    if (value > own || (value == own && other < e)) before++;
                }
                chosen[e] = before < sizes.PerToken ? 1 : 0;
            }
            Group.Barrier();
            for (var e = Group.IdxX; e < n; e += Group.DimX)
            {
                if (chosen[e] == 0) continue;
                var place = 0;
                var sum = 0.0;
                for (var other = 0; other < n; other++)
                {
                    if (chosen[other] == 0) continue;
                    sum += scores[other];
                    if (other < e) place++;
                }
                ids[(token * sizes.PerToken) + place] = e;
                gates[(token * sizes.PerToken) + place] = (float)(scores[e] / sum);
            }
            Group.Barrier();
        }
    }

    /// <summary>Parameters of the kernel.</summary>
    internal struct RouteSizes
    {
        public int Tokens;
        public int Experts;
        public int PerToken;
        public int HasBias;
    }
}
