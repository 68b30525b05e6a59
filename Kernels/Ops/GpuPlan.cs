using ILGPU;
using ILGPU.Runtime;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

/// <summary>An <see cref="ExpertPlan"/> in a GPU's memory, where it is made and used without the host's seeing it.</summary>
internal sealed class GpuPlan : IDisposable
{
    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, ArrayView<int>, ArrayView<int>, int, int, int>> Kernel =
        new(SortKernel);

    private readonly Accelerator accelerator;
    private readonly int pairs;
    private readonly int experts;
    private readonly MemoryBuffer1D<float, Stride1D.Dense> gates;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> ids;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> sorted;

    public GpuPlan(GpuStream gpu, ExpertPlan plan)
    {
        accelerator = gpu.Device.Accelerator;
        // Rounded up, so that a growing prompt does not make it anew at every step.
        pairs = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(64, plan.Pairs));
        experts = Math.Max(1, plan.Experts);
        gates = accelerator.Allocate1D<float>(pairs);
        ids = accelerator.Allocate1D<int>(pairs);
        sorted = accelerator.Allocate1D<int>((3 * pairs) + (2 * experts) + 2);
    }

    /// <summary>[tokens, perToken] what each chosen expert's output is multiplied with.</summary>
    public ArrayView<float> Gates => gates.View.BaseView;

    /// <summary>[tokens, perToken] the chosen experts, ascending for each token.</summary>
    public ArrayView<int> Ids => ids.View.BaseView;

    /// <summary>Pairs that there is room for.</summary>
    public int Capacity => pairs;

    /// <summary>The four lists below in one: [3 · capacity] and [2 · experts + 2].</summary>
    public ArrayView<int> Sorted => sorted.View.BaseView;

    /// <summary>[pairs] the token of a pair.</summary>
    public ArrayView<int> PairToken => sorted.View.BaseView.SubView(0, pairs);

    /// <summary>[pairs] the expert of a pair.</summary>
    public ArrayView<int> PairExpert => sorted.View.BaseView.SubView(pairs, pairs);

    /// <summary>[tokens, perToken] the pair of a token's j-th expert.</summary>
    public ArrayView<int> PairOf => sorted.View.BaseView.SubView(2 * pairs, pairs);

    /// <summary>[experts + 1] offsets, [1] number of active experts, [experts] the active ones.</summary>
    public ArrayView<int> Lists => sorted.View.BaseView.SubView(3 * pairs, (2 * experts) + 2);

    /// <summary>Whether a plan has room in this one.</summary>
    public bool Fits(GpuStream gpu, ExpertPlan plan) =>
        accelerator == gpu.Device.Accelerator && plan.Pairs <= pairs && Math.Max(1, plan.Experts) == experts;

    /// <summary>Sorts the pairs by expert.</summary>
    public void Sort(GpuStream gpu, ExpertPlan plan) =>
        Kernel.On(gpu.Device)(gpu.Queue, gpu.Groups(1), Ids, sorted.View.BaseView, plan.Pairs, plan.PerToken, plan.Experts);

    /// <summary>Sends choices made on the host, and sorts them.</summary>
    public void Send(GpuStream gpu, ExpertPlan plan)
    {
        if (plan.Pairs > 0)
        {
            gates.View.BaseView.CopyFromCPU(gpu.Queue, ref plan.Gates[0], plan.Pairs);
            ids.View.BaseView.CopyFromCPU(gpu.Queue, ref plan.Ids[0], plan.Pairs);
        }
        Sort(gpu, plan);
        gpu.Queue.Synchronize();
    }

    /// <summary>All of it on the host: gates, ids, and what sorting made of them.</summary>
    public (float[] Gates, int[] Ids, int[] PairToken, int[] PairExpert, int[] PairOf, int[] Lists) Fetch(GpuStream gpu)
    {
        gpu.Queue.Synchronize();
        var all = sorted.GetAsArray1D();
        return (gates.GetAsArray1D(), ids.GetAsArray1D(), all[..pairs], all[pairs..(2 * pairs)], all[(2 * pairs)..(3 * pairs)], all[(3 * pairs)..]);
    }

    public void Dispose()
    {
        gates.Dispose();
        ids.Dispose();
        sorted.Dispose();
    }

    /// <summary>
    /// One group. A thread takes every DimX-th expert: it counts the pairs of lower experts and its own, and then deals its own pairs their places,
    /// tokens ascending.
    /// </summary>
    internal static void SortKernel(ArrayView<int> ids, ArrayView<int> sorted, int pairs, int perToken, int experts)
    {
        var counts = SharedMemory.Allocate<int>(RouteOp.MostExpertsOnGpu);
        var capacity = (int)((sorted.Length - (2 * experts) - 2) / 3);
        var lists = 3 * capacity;
        for (var e = Group.IdxX; e < experts; e += Group.DimX)
        {
            var (lower, own) = (0, 0);
            for (var i = 0; i < pairs; i++)
            {
                var id = ids[i];
                if (id < e) lower++;
                if (id == e) own++;
            }
            counts[e] = own;
            sorted[lists + e] = lower;
            if (own == 0) continue;
            for (var i = 0; i < pairs; i++)
            {
                if (ids[i] != e) continue;
                sorted[lower] = i / perToken;
                sorted[capacity + lower] = e;
                sorted[(2 * capacity) + i] = lower;
                lower++;
            }
        }
        Group.Barrier();
        for (var e = Group.IdxX; e < experts; e += Group.DimX)
        {
            var before = 0;
            for (var other = 0; other < e; other++) before += counts[other] > 0 ? 1 : 0;
            if (counts[e] > 0) sorted[lists + experts + 2 + before] = e;
            if (e == experts - 1)
            {
                sorted[lists + experts] = pairs;
                sorted[lists + experts + 1] = before + (counts[e] > 0 ? 1 : 0);
            }
        }
    }
}
