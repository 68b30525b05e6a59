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

    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, GpuTile, ArrayView<Words4>, ArrayView<int>, ArrayView<int>, ArrayView<float>, GpuProduct>> Kernel =
        new(PrefillKernel, KernelNeeds.TensorCores | KernelNeeds.Hot, Threads, 2);

    /// <summary>Fills y [tokens, rows] or [pairs, rows].</summary>
    public static void Run(GpuStream gpu, GpuWeight<T> weight, ArrayView<Words4> x, ArrayView<int> tokens, ArrayView<int> lists, Matrix y, GpuProduct product)
    {
        product.Blocks = product.Experts == 0 ? (y.Rows + Tokens - 1) / Tokens : 1;
        var items = (long)((weight.Tiles + 7) / 8) * product.Slots * product.Blocks;
        Kernel.On(gpu.Device)(
            gpu.Queue, new KernelConfig((int)Math.Min(items, gpu.Device.Traits.MostGroups), Threads), GpuTile.Of(weight, 0), x, tokens, lists, gpu.View(y), product);
    }

    internal static void PrefillKernel(GpuTile w, ArrayView<Words4> x, ArrayView<int> pairToken, ArrayView<int> lists, ArrayView<float> y, GpuProduct product)
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
                var sums = Multiply(w, tile0, tile1, x, pairToken, product, pair, end, input);
                Store(y, w, tile, pair, end, sums.Low);
                Store(y, w, tile + 1, pair, end, sums.High);
            }
        }
    }

    private static Sums Multiply(
        GpuTile w, long tile0, long tile1, ArrayView<Words4> x, ArrayView<int> pairToken, GpuProduct product, int pair, int end, ArrayView<Words4> input)
    {
        var lane = Group.IdxX & 31;
        var units = w.Chunks / T.Loads;

        // Thread n copies lane n & 3 of input rows n >> 2 and (n >> 2) + 32, both halves of the 64 columns.
        var from0 = (product.Input(pairToken, pair + (Group.IdxX >> 2), end) >> 3) + (Group.IdxX & 3);
        var from1 = (product.Input(pairToken, pair + 32 + (Group.IdxX >> 2), end) >> 3) + (Group.IdxX & 3);
        Fetch(x, from0, from1, product, 0, input, 0);
        var loaded0 = TensorTile<T, TScales>.Load(w, tile0, 0, lane);
        var loaded1 = TensorTile<T, TScales>.Load(w, tile1, 0, lane);

        var sums = default(Sums);
        var right = ((lane >> 2) * 4) + (lane & 3);
        for (var unit = 0; unit < units; unit++)
        {
            var next = unit + 1 < units ? unit + 1 : unit;
            Fetch(x, from0, from1, product, next * 8, input, ((unit + 1) & 1) * Stage);
            var coming0 = TensorTile<T, TScales>.Load(w, tile0, next, lane);
            var coming1 = TensorTile<T, TScales>.Load(w, tile1, next, lane);
            TensorCore.WaitAllButOne();
            Group.Barrier();
            var at = ((unit & 1) * Stage) + right;
            // Written out: which half it is must be a constant, or every register would be chosen at run time.
            var (a0, a1) = (TensorTile<T, TScales>.Open(w, loaded0, tile0, unit, 0, lane), TensorTile<T, TScales>.Open(w, loaded1, tile1, unit, 0, lane));
            Add(ref sums, a0, a1, input, at);
            if (product.Planes == 2) Add(ref sums, a0, a1, input, at + (2 * Half));
            (a0, a1) = (TensorTile<T, TScales>.Open(w, loaded0, tile0, unit, 1, lane), TensorTile<T, TScales>.Open(w, loaded1, tile1, unit, 1, lane));
            Add(ref sums, a0, a1, input, at + Half);
            if (product.Planes == 2) Add(ref sums, a0, a1, input, at + (3 * Half));
            (loaded0, loaded1) = (coming0, coming1);
            Group.Barrier();
        }
        TensorCore.Wait();
        return sums;
    }

    /// <summary>Begins to copy 64 columns of the 64 input rows.</summary>
    private static void Fetch(ArrayView<Words4> x, long from0, long from1, GpuProduct product, int column, ArrayView<Words4> input, int stage)
    {
        Copy(x, from0 + column, from1 + column, input, stage);
        if (product.Planes == 2) Copy(x, product.Plane + from0 + column, product.Plane + from1 + column, input, stage + (2 * Half));
        TensorCore.Commit();
    }

    private static void Copy(ArrayView<Words4> x, long from0, long from1, ArrayView<Words4> input, int to)
    {
        TensorCore.CopyAsync(ref input[to + Group.IdxX], ref x[from0]);
        TensorCore.CopyAsync(ref input[to + Group.IdxX + 128], ref x[from1]);
        TensorCore.CopyAsync(ref input[to + Half + Group.IdxX], ref x[from0 + 4]);
        TensorCore.CopyAsync(ref input[to + Half + Group.IdxX + 128], ref x[from1 + 4]);
    }

    /// <summary>32 columns of two tiles times all 64 input rows.</summary>
    private static void Add(ref Sums sums, TensorTile<T, TScales>.Half32 a0, TensorTile<T, TScales>.Half32 a1, ArrayView<Words4> input, int at)
    {
        Add(ref sums.Low.A, ref sums.High.A, a0, a1, input[at]);
        Add(ref sums.Low.B, ref sums.High.B, a0, a1, input[at + 32]);
        Add(ref sums.Low.C, ref sums.High.C, a0, a1, input[at + 64]);
        Add(ref sums.Low.D, ref sums.High.D, a0, a1, input[at + 96]);
        Add(ref sums.Low.E, ref sums.High.E, a0, a1, input[at + 128]);
        Add(ref sums.Low.F, ref sums.High.F, a0, a1, input[at + 160]);
        Add(ref sums.Low.G, ref sums.High.G, a0, a1, input[at + 192]);
        Add(ref sums.Low.H, ref sums.High.H, a0, a1, input[at + 224]);
    }

    private static void Add(ref Acc4 low, ref Acc4 high, TensorTile<T, TScales>.Half32 a0, TensorTile<T, TScales>.Half32 a1, Words4 b)
    {
        low = TensorTile<T, TScales>.Add(low, a0, b);
        high = TensorTile<T, TScales>.Add(high, a1, b);
    }

    private static void Store(ArrayView<float> y, GpuTile w, int tile, int pair, int end, Eight sums)
    {
        Store(y, w, tile, pair, end, sums.A);
        Store(y, w, tile, pair + 8, end, sums.B);
        Store(y, w, tile, pair + 16, end, sums.C);
        Store(y, w, tile, pair + 24, end, sums.D);
        Store(y, w, tile, pair + 32, end, sums.E);
        Store(y, w, tile, pair + 40, end, sums.F);
        Store(y, w, tile, pair + 48, end, sums.G);
        Store(y, w, tile, pair + 56, end, sums.H);
    }

    private static void Store(ArrayView<float> y, GpuTile w, int tile, int pair, int end, Acc4 sum)
    {
        var lane = Group.IdxX & 31;
        var row = (tile * 16) + (lane >> 2);
        var token = pair + (2 * (lane & 3));
        var at = ((long)token * w.Rows) + row;
        if (token < end && row < w.Rows) y[at] = sum.A;
        if (token + 1 < end && row < w.Rows) y[at + w.Rows] = sum.B;
        if (token < end && row + 8 < w.Rows) y[at + 8] = sum.C;
        if (token + 1 < end && row + 8 < w.Rows) y[at + w.Rows + 8] = sum.D;
    }

    private static int Min(int a, int b) => a < b ? a : b;

    /// <summary>Sums of one tile with 64 input rows, eight a field.</summary>
    private struct Eight
    {
        public Acc4 A;
        public Acc4 B;
        public Acc4 C;
        public Acc4 D;
        public Acc4 E;
        public Acc4 F;
        public Acc4 G;
        public Acc4 H;
    }

    private struct Sums
    {
        public Eight Low;
        public Eight High;
    }
}
