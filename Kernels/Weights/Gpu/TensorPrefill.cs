using ILGPU;
using ILGPU.Runtime;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Weights;

/// <summary>
/// GEMM: products with many rows (prompts), bound by the tensor cores. A group (thread block) takes 128 rows of the weight and 64 input rows: each of
/// its four warps two tiles of 16, whose codes it turns into bfloat16 once and multiplies with all 64. The input, as one bfloat16 or as two
/// (<see cref="HalfRows"/>), comes to shared memory by asynchronous copies, 64 columns at a time, while the 64 before are multiplied.
/// </summary>
internal static class TensorPrefill<T, TScales> where T : struct, IGpuFormat where TScales : struct, IGpuScales
{
    private const int Half = PrefillItem.Half;

    /// <summary>Of 64 columns: [2 planes, 2 halves].</summary>
    private const int Stage = 4 * Half;

    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, GpuWeightView, ArrayView<Words4>, ArrayView<int>, ArrayView<int>,
        ArrayView<float>, GpuProduct>> Rounded =
        new(PrefillKernel<OnePlane>, KernelNeeds.TensorCores | KernelNeeds.Hot, PrefillItem.Threads, 2);
    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, GpuWeightView, ArrayView<Words4>, ArrayView<int>, ArrayView<int>,
        ArrayView<float>, GpuProduct>> Full =
        new(PrefillKernel<TwoPlanes>, KernelNeeds.TensorCores | KernelNeeds.Hot, PrefillItem.Threads, 2);

    /// <summary>Fills y [tokens, rows] or [pairs, rows].</summary>
    public static void Run(GpuStream gpu, GpuWeight<T> weight, ArrayView<Words4> x, ArrayView<int> tokens, ArrayView<int> lists, Matrix y,
        GpuProduct product)
    {
        var config = PrefillItem.Config(gpu, weight.Tiles, y.Rows, ref product);
        (product.Planes == 2 ? Full : Rounded).On(gpu.Device)(
            gpu.Queue, config, GpuWeightView.Of(weight, 0), x, tokens, lists, gpu.View(y), product);
    }

    internal static void PrefillKernel<TPlanes>(GpuWeightView w, ArrayView<Words4> x, ArrayView<int> pairToken, ArrayView<int> lists,
        ArrayView<float> y,
        GpuProduct product)
        where TPlanes : struct, IPlanes
    {
        var input = SharedMemory.Allocate<Words4>(2 * Stage);
        for (var item = Grid.IdxX; item < PrefillItem.Count(w, product); item += Grid.DimX)
        {
            var at = PrefillItem.Of(w, lists, product, item);
            for (var pair = at.First; pair < at.Stop; pair += PrefillItem.Tokens)
            {
                var sums = Multiply<TPlanes>(w, at.Tile0, at.Tile1, x, pairToken, product, pair, at.End, input);
                PrefillSums.Store(y, w, at.Tile, pair, at.End, sums.Low);
                PrefillSums.Store(y, w, at.Tile + 1, pair, at.End, sums.High);
            }
        }
    }

    private static PrefillSums Multiply<TPlanes>(
        GpuWeightView w, long tile0, long tile1, ArrayView<Words4> x, ArrayView<int> pairToken, GpuProduct product, int pair, int end,
            ArrayView<Words4> input)
        where TPlanes : struct, IPlanes
    {
        var lane = Group.IdxX & 31;
        var units = w.Chunks / T.Loads;

        // Thread n copies lane n & 3 of input rows n >> 2 and (n >> 2) + 32, both halves of the 64 columns.
        var from0 = x.SubView((product.Input(pairToken, pair + (Group.IdxX >> 2), end) >> 3) + (Group.IdxX & 3));
        var from1 = x.SubView((product.Input(pairToken, pair + 32 + (Group.IdxX >> 2), end) >> 3) + (Group.IdxX & 3));
        var to = input.SubView(Group.IdxX);
        Fetch<TPlanes>(from0, from1, product, 0, to);
        var (part0, part1) = (TensorTile<T, TScales>.Of(w, tile0, lane), TensorTile<T, TScales>.Of(w, tile1, lane));
        var (loaded0, loaded1) = (TensorTile<T, TScales>.Load(part0, 0), TensorTile<T, TScales>.Load(part1, 0));

        var sums = default(PrefillSums);
        var right = ((lane >> 2) * 4) + (lane & 3);
        for (var unit = 0; unit < units; unit++)
        {
            var next = unit + 1 < units ? unit + 1 : unit;
            Fetch<TPlanes>(from0, from1, product, next * 8, to.SubView(((unit + 1) & 1) * Stage));
            var tiles = new TilePair
            {
                Low0 = TensorTile<T, TScales>.Open(part0, loaded0, 0),
                Low1 = TensorTile<T, TScales>.Open(part0, loaded0, 1),
                High0 = TensorTile<T, TScales>.Open(part1, loaded1, 0),
                High1 = TensorTile<T, TScales>.Open(part1, loaded1, 1),
                LowUnit = loaded0,
                HighUnit = loaded1,
            };
            // The codes are open, so that the next ones come into the registers that these leave.
            (loaded0, loaded1) = (TensorTile<T, TScales>.Load(part0, next), TensorTile<T, TScales>.Load(part1, next));
            TensorCore.WaitAllButOne();
            Group.Barrier();
            var at = input.SubView(((unit & 1) * Stage) + right);
            Add<TPlanes>(ref sums.Low.A, ref sums.High.A, tiles, at, 0);
            Add<TPlanes>(ref sums.Low.B, ref sums.High.B, tiles, at, 32);
            Add<TPlanes>(ref sums.Low.C, ref sums.High.C, tiles, at, 64);
            Add<TPlanes>(ref sums.Low.D, ref sums.High.D, tiles, at, 96);
            Add<TPlanes>(ref sums.Low.E, ref sums.High.E, tiles, at, 128);
            Add<TPlanes>(ref sums.Low.F, ref sums.High.F, tiles, at, 160);
            Add<TPlanes>(ref sums.Low.G, ref sums.High.G, tiles, at, 192);
            Add<TPlanes>(ref sums.Low.H, ref sums.High.H, tiles, at, 224);
            Group.Barrier();
        }
        TensorCore.Wait();
        return sums;
    }

    /// <summary>Begins to copy 64 columns of the 64 input rows.</summary>
    private static void Fetch<TPlanes>(ArrayView<Words4> from0, ArrayView<Words4> from1, GpuProduct product, int column, ArrayView<Words4> to)
        where TPlanes : struct, IPlanes
    {
        PrefillItem.Copy(from0.SubView(column), from1.SubView(column), to);
        if (TPlanes.Count > 1) PrefillItem.Copy(from0.SubView(product.Plane + column), from1.SubView(product.Plane + column), to.SubView(2 * Half));
        TensorCore.Commit();
    }

    /// <summary>64 columns of two tiles times eight input rows.</summary>
    private static void Add<TPlanes>(ref Acc4 low, ref Acc4 high, TilePair a, ArrayView<Words4> input, int at) where TPlanes : struct, IPlanes
    {
        var (b0, b1) = (input[at], input[at + Half]);
        var c0 = TPlanes.Count > 1 ? input[at + (2 * Half)] : default;
        var c1 = TPlanes.Count > 1 ? input[at + (3 * Half)] : default;
        low = TensorTile<T, TScales>.Add<TPlanes>(low, a.Low0, a.Low1, a.LowUnit, b0, b1, c0, c1);
        high = TensorTile<T, TScales>.Add<TPlanes>(high, a.High0, a.High1, a.HighUnit, b0, b1, c0, c1);
    }

    /// <summary>64 columns of two tiles.</summary>
    private struct TilePair
    {
        public TensorTile<T, TScales>.Half32 Low0;
        public TensorTile<T, TScales>.Half32 Low1;
        public TensorTile<T, TScales>.Half32 High0;
        public TensorTile<T, TScales>.Half32 High1;
        public TensorTile<T, TScales>.Unit LowUnit;
        public TensorTile<T, TScales>.Unit HighUnit;
    }
}
