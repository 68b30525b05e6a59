using ILGPU;
using ILGPU.Runtime;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Weights;

/// <summary>
/// Products with many rows (prompts), bound by the matrix instructions. A group takes 128 rows of the weight and 64 input rows: each of its four warps two tiles of 16,
/// whose codes it turns into bfloat16 once and multiplies with all 64. The input, as one bfloat16 or as two (<see cref="HalfRows"/>), comes to shared memory by
/// asynchronous copies, 64 columns at a time, while the 64 before are multiplied.
/// </summary>
internal static class TensorPrefill<T, TScales> where T : struct, IGpuFormat where TScales : struct, IGpuScales
{
    private const int Threads = 128;
    private const int Tokens = 64;

    /// <summary>Sixteen-byte words of 32 columns of the input rows: [64 rows, 4 lanes].</summary>
    private const int Half = Tokens * 4;

    /// <summary>Of 64 columns: [2 planes, 2 halves].</summary>
    private const int Stage = 4 * Half;

    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, GpuTile, ArrayView<Words4>, ArrayView<int>, ArrayView<int>, ArrayView<float>, GpuProduct>> Rounded =
        new(PrefillKernel<OnePlane>, KernelNeeds.TensorCores | KernelNeeds.Hot, Threads, 2);
    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, GpuTile, ArrayView<Words4>, ArrayView<int>, ArrayView<int>, ArrayView<float>, GpuProduct>> Full =
        new(PrefillKernel<TwoPlanes>, KernelNeeds.TensorCores | KernelNeeds.Hot, Threads, 2);

    /// <summary>Fills y [tokens, rows] or [pairs, rows].</summary>
    public static void Run(GpuStream gpu, GpuWeight<T> weight, ArrayView<Words4> x, ArrayView<int> tokens, ArrayView<int> lists, Matrix y, GpuProduct product)
    {
        product.Blocks = product.Experts == 0 ? (y.Rows + Tokens - 1) / Tokens : 1;
        var items = (long)((weight.Tiles + 7) / 8) * product.Slots * product.Blocks;
        (product.Planes == 2 ? Full : Rounded).On(gpu.Device)(
            gpu.Queue, new KernelConfig((int)Math.Min(items, gpu.Device.Traits.MostGroups), Threads), GpuTile.Of(weight, 0), x, tokens, lists, gpu.View(y), product);
    }

    internal static void PrefillKernel<TPlanes>(GpuTile w, ArrayView<Words4> x, ArrayView<int> pairToken, ArrayView<int> lists, ArrayView<float> y, GpuProduct product)
        where TPlanes : struct, IPlanes
    {
        var input = SharedMemory.Allocate<Words4>(2 * Stage);
        var blocks = (w.Tiles + 7) >> 3;
        for (var item = Grid.IdxX; item < blocks * product.Slots * product.Blocks; item += Grid.DimX)
        {
            var slot = item / (blocks * product.Blocks);
            var rest = item - (slot * blocks * product.Blocks);
            var tokenBlock = rest / blocks;
            var tile = ((rest - (tokenBlock * blocks)) * 8) + (2 * (Group.IdxX >> 5));
            var expert = product.Expert(lists, slot);
            var end = product.End(lists, expert);
            var first = product.First(lists, expert) + (tokenBlock * Tokens);
            var stop = product.Experts == 0 ? Min(end, first + Tokens) : end;
            var matrix = product.Matrix(expert) * w.Tiles;
            for (var pair = first; pair < stop; pair += Tokens)
            {
                // Tiles beyond the last are the last again; their results go nowhere.
                var (tile0, tile1) = (matrix + Min(tile, w.Tiles - 1), matrix + Min(tile + 1, w.Tiles - 1));
                var sums = Multiply<TPlanes>(w, tile0, tile1, x, pairToken, product, pair, end, input);
                PrefillSums.Store(y, w, tile, pair, end, sums.Low);
                PrefillSums.Store(y, w, tile + 1, pair, end, sums.High);
            }
        }
    }

    private static PrefillSums Multiply<TPlanes>(
        GpuTile w, long tile0, long tile1, ArrayView<Words4> x, ArrayView<int> pairToken, GpuProduct product, int pair, int end, ArrayView<Words4> input)
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
            var tiles = new Tiles
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
    private static void Fetch<TPlanes>(ArrayView<Words4> from0, ArrayView<Words4> from1, GpuProduct product, int column, ArrayView<Words4> to) where TPlanes : struct, IPlanes
    {
        Copy(from0.SubView(column), from1.SubView(column), to);
        if (TPlanes.Count > 1) Copy(from0.SubView(product.Plane + column), from1.SubView(product.Plane + column), to.SubView(2 * Half));
        TensorCore.Commit();
    }

    private static void Copy(ArrayView<Words4> from0, ArrayView<Words4> from1, ArrayView<Words4> to)
    {
        TensorCore.CopyAsync(ref to[0], ref from0[0]);
        TensorCore.CopyAsync(ref to[128], ref from1[0]);
        TensorCore.CopyAsync(ref to[Half], ref from0[4]);
        TensorCore.CopyAsync(ref to[Half + 128], ref from1[4]);
    }

    /// <summary>64 columns of two tiles times eight input rows.</summary>
    private static void Add<TPlanes>(ref Acc4 low, ref Acc4 high, Tiles a, ArrayView<Words4> input, int at) where TPlanes : struct, IPlanes
    {
        var (b0, b1) = (input[at], input[at + Half]);
        var c0 = TPlanes.Count > 1 ? input[at + (2 * Half)] : default;
        var c1 = TPlanes.Count > 1 ? input[at + (3 * Half)] : default;
        low = TensorTile<T, TScales>.Add<TPlanes>(low, a.Low0, a.Low1, a.LowUnit, b0, b1, c0, c1);
        high = TensorTile<T, TScales>.Add<TPlanes>(high, a.High0, a.High1, a.HighUnit, b0, b1, c0, c1);
    }

    private static int Min(int a, int b) => a < b ? a : b;

    /// <summary>64 columns of two tiles.</summary>
    private struct Tiles
    {
        public TensorTile<T, TScales>.Half32 Low0;
        public TensorTile<T, TScales>.Half32 Low1;
        public TensorTile<T, TScales>.Half32 High0;
        public TensorTile<T, TScales>.Half32 High1;
        public TensorTile<T, TScales>.Unit LowUnit;
        public TensorTile<T, TScales>.Unit HighUnit;
    }
}
