using ILGPU;
using ILGPU.Runtime;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Kernels.Weights.Tiles;

namespace Quilt.Kernels.Weights;

/// <summary>GEMM and GEMV of a GPU weight of one format: chooses the kernel by device and number of rows.</summary>
internal static partial class GpuMatMul<T> where T : struct, IGpuFormat
{
    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, GpuWeightView, ArrayView<float>, ArrayView<int>, ArrayView<int>,
        ArrayView<float>, GpuProduct>> Plain =
        new(PlainKernel<Narrow>, maxThreads: Narrow.MostThreads);
    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, GpuWeightView, ArrayView<float>, ArrayView<int>, ArrayView<int>,
        ArrayView<float>, GpuProduct>> PlainWide =
        new(PlainKernel<Wide>, maxThreads: Wide.MostThreads);
    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<int>, ArrayView<float>, int, int,
        int>> Arrange =
        new(ArrangeKernel);

    /// <summary>
    /// y [tokens, rows], or with a plan [pairs, rows]; with an expert ≥ 0 only that expert's pairs, with the weight's first matrix.
    /// </summary>
    public static void Run(GpuStream gpu, GpuWeight<T> weight, Matrix x, ExpertPlan? plan, ExpertRows rows, int expert, Matrix y)
    {
        var on = plan?.On(gpu);
        // Without a plan nothing is read of the lists; a view must be given all the same.
        var (lists, tokens) = (on?.Lists ?? weight.Order, on?.PairToken ?? weight.Order);
        var product = Product(weight, plan, rows, expert, y.Rows);
        var mark = gpu.Scratch.Mark();
        if (!gpu.Device.Traits.TensorCores || !weight.SuitsTensorCores)
        {
            if (plan is null) product.Blocks = (y.Rows + 3) / 4;
            var groups = gpu.Groups((long)weight.Tiles * product.Slots * product.Blocks);
            var wide = gpu.Device.Traits.IsCuda && weight.Tiles < 64;
            if (wide) groups = new KernelConfig(groups.GridDim.X, Wide.MostThreads);
            (wide ? PlainWide : Plain).On(gpu.Device)(gpu.Queue, groups, GpuWeightView.Of(weight, 0), gpu.View(Arranged(gpu, weight, x)), tokens,
                lists, gpu.View(y), product);
        }
        else
        {
            TensorProduct<T>.For(weight).Run(gpu, weight, x, tokens, lists, y, product);
        }
        gpu.Scratch.Release(mark);
    }

    /// <summary>
    /// into = silu(gate · x) · (up · x) for the pairs of a plan, in one launch; false where that takes kernels that this device, or these weights, do
    /// not have.
    /// </summary>
    public static bool TryRunGated(GpuStream gpu, GpuWeight<T> gate, GpuWeight<T> up, Matrix x, ExpertPlan plan, Matrix into)
    {
        if (!AreAlike(gpu, gate, up)) return false;
        var on = plan.On(gpu);
        var product = Product(gate, plan, ExpertRows.Tokens, expert: -1, into.Rows);
        var mark = gpu.Scratch.Mark();
        var done = TensorProduct<T>.For(gate).TryRunGated(gpu, gate, up, x, on.PairToken, on.Lists, into, product);
        gpu.Scratch.Release(mark);
        return done;
    }

    /// <summary>Three products of one input; false where they would not share anything.</summary>
    public static bool TryRunThree(GpuStream gpu, Matrix x, (GpuWeight<T> W, Matrix Y) first, (GpuWeight<T> W, Matrix Y) second,
        (GpuWeight<T> W, Matrix Y) third)
    {
        if (!AreAlike(gpu, first.W, second.W) || !AreAlike(gpu, first.W, third.W)) return false;
        var mark = gpu.Scratch.Mark();
        TensorProduct<T>.For(first.W).RunThree(gpu, x, first, second, third, Product(first.W, plan: null, ExpertRows.Tokens, expert: -1, x.Rows));
        gpu.Scratch.Release(mark);
        return true;
    }

    /// <summary>Whether one tensor-core kernel takes both, and their inputs lie alike.</summary>
    private static bool AreAlike(GpuStream gpu, GpuWeight<T> a, GpuWeight<T> b) =>
        gpu.Device.Traits.TensorCores && a.SuitsTensorCores && b.SuitsTensorCores && a.ScaleType == b.ScaleType && a.HasZeroPoints == b.HasZeroPoints
        && ((a.Layout.IsIdentity && b.Layout.IsIdentity && a.Columns == b.Columns) || a.Layout.Order.AsSpan().SequenceEqual(b.Layout.Order));

    private static GpuProduct Product(GpuWeight<T> weight, ExpertPlan? plan, ExpertRows rows, int expert, int count) => new()
    {
        Count = count,
        Stride = weight.Layout.Places,
        ByToken = plan is not null && rows == ExpertRows.Tokens ? 1 : 0,
        Experts = plan?.Experts ?? 0,
        Only = expert,
        Slots = plan is null || expert >= 0 ? 1 : Math.Min(plan.Experts, plan.Pairs),
        Blocks = 1,
    };

    /// <summary>The input in the order of a weight's places, zeros for padding; as it is where that is its order already.</summary>
    private static Matrix Arranged(GpuStream gpu, GpuWeight<T> weight, Matrix x)
    {
        if (weight.Layout.IsIdentity) return x;
        var arranged = gpu.Scratch.Take(x.Rows, weight.Layout.Places);
        var count = checked(arranged.Rows * arranged.Columns);
        Arrange.On(gpu.Device)(gpu.Queue, gpu.Spread(count), gpu.View(x), weight.Order, gpu.View(arranged), count, x.Columns, arranged.Columns);
        return arranged;
    }

    internal static void ArrangeKernel(ArrayView<float> x, ArrayView<int> order, ArrayView<float> y, int count, int columns, int places)
    {
        for (var i = Grid.GlobalIndex.X; i < count; i += Grid.DimX * Group.DimX)
        {
            var row = i / places;
            var column = order[i - (row * places)];
            y[i] = column < 0 ? 0f : x[((long)row * columns) + column];
        }
    }
}
