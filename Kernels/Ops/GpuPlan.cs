using ILGPU;
using ILGPU.Runtime;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

/// <summary>An <see cref="ExpertPlan"/> in a GPU's memory, where it is made and used without the host's seeing it.</summary>
internal sealed class GpuPlan : IDisposable
{
    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, ArrayView<int>, ArrayView<int>, int, int, int, int>> Kernel =
        new(SortKernel);

    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, ArrayView<int>, ArrayView<float>, ArrayView<int>, ArrayView<float>, int,
        int, int>> KeepOf =
        new(KeepKernel);

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
        Kernel.On(gpu.Device)(gpu.Queue, gpu.Groups(plan.Experts), Ids, sorted.View.BaseView, plan.Pairs, plan.PerToken, plan.Experts, plan.Listed);

    /// <summary>Takes the choices of another plan (<see cref="ExpertPlan.Keep"/>), unsorted.</summary>
    public void Keep(GpuStream gpu, GpuPlan from, ExpertPlan plan, int first, int count)
    {
        if (plan.Pairs > 0) KeepOf.On(gpu.Device)(gpu.Queue, gpu.Spread(plan.Pairs), from.Ids, from.Gates, Ids, Gates, plan.Pairs, first, count);
    }

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

    /// <summary>A thread takes a pair.</summary>
    internal static void KeepKernel(ArrayView<int> ids, ArrayView<float> gates, ArrayView<int> ownIds, ArrayView<float> ownGates, int pairs,
        int first, int count)
    {
        for (var i = Grid.GlobalIndex.X; i < pairs; i += Grid.DimX * Group.DimX)
        {
            var expert = ids[i] - first;
            var isHere = expert >= 0 && expert < count;
            ownIds[i] = isHere ? expert : count;
            ownGates[i] = isHere ? gates[i] : 0f;
        }
    }

    /// <summary>
    /// A group takes an expert. Its threads look through a run of neighbouring pairs each: they count those of lower experts and of their own, and
    /// mark which experts there are. The expert's pairs then get their places, those of the first thread's run first, so that tokens ascend.
    /// </summary>
    internal static void SortKernel(ArrayView<int> ids, ArrayView<int> sorted, int pairs, int perToken, int experts, int listed)
    {
        var owns = SharedMemory.Allocate<int>(GpuTraits.MostThreads);
        var seen = SharedMemory.Allocate<int>(RouteOp.MostExpertsOnGpu);
        var parts = SharedMemory.Allocate<int>(GpuTraits.MostThreads);
        var capacity = (int)((sorted.Length - (2 * experts) - 2) / 3);
        var lists = 3 * capacity;
        var run = (pairs + Group.DimX - 1) / Group.DimX;
        var first = Group.IdxX * run;
        var end = first + run < pairs ? first + run : pairs;
        for (var e = Grid.IdxX; e < experts; e += Grid.DimX)
        {
            for (var other = Group.IdxX; other < experts; other += Group.DimX) seen[other] = 0;
            Group.Barrier();

            var (lower, own) = (0, 0);
            for (var i = first; i < end; i++)
            {
                var id = ids[i];
                lower += id < e ? 1 : 0;
                own += id == e ? 1 : 0;
                seen[id] = 1;
            }
            owns[Group.IdxX] = own;
            var pairsBelow = GpuMath.Sum(parts, lower);
            var active = 0;
            for (var other = Group.IdxX; other < e; other += Group.DimX) active += seen[other];
            var activeBelow = GpuMath.Sum(parts, active);
            if (own != 0)
            {
                var place = pairsBelow;
                for (var thread = 0; thread < Group.IdxX; thread++) place += owns[thread];
                for (var i = first; i < end; i++)
                {
                    if (ids[i] != e) continue;
                    sorted[place] = i / perToken;
                    sorted[capacity + place] = e;
                    sorted[(2 * capacity) + i] = place;
                    place++;
                }
            }
            if (Group.IdxX == 0)
            {
                sorted[lists + e] = pairsBelow;
                var isActive = e < listed ? seen[e] : 0;
                if (isActive != 0) sorted[lists + experts + 2 + activeBelow] = e;
                if (e == experts - 1) (sorted[lists + experts], sorted[lists + experts + 1]) = (pairs, activeBelow + isActive);
            }
            Group.Barrier();
        }
    }
}
