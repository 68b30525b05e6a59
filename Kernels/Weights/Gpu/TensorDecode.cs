using ILGPU;
using ILGPU.Runtime;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;

namespace Quilt.Kernels.Weights;

/// <summary>GEMV: how the kernels for few rows (decoding), bound by memory, are launched, whatever the format.</summary>
internal static class TensorDecode
{
    /// <summary>Most warps of a group, which share a tile.</summary>
    public const int MostWarps = 8;

    /// <summary>Most input rows that a group takes at a time.</summary>
    public const int MostTokens = 16;

    /// <summary>
    /// Warps that share a tile of <paramref name="units"/> times 64 columns. Each should have a dozen, so that what a tile costs once does not count;
    /// but a single matrix of few tiles, such as keys' and values', would leave most of the device idle. It belongs to the weight, not to the rows,
    /// and so does the order of sums.
    /// </summary>
    public static int WarpsFor(int units, int tiles, int matrices) =>
        Math.Clamp(matrices == 1 && tiles < 256 ? MostWarps : units / 12, 1, Math.Max(1, Math.Min(MostWarps, units)));
}

/// <summary>
/// Products with few rows (decoding), bound by the reading of the weight. A group takes a tile of 16 rows and its warps every n-th 64 columns of it.
/// Eight columns of the right operand are four input rows, each as a bfloat16 and the rest that rounding to it left: the sums are as good as
/// float32's, and cost no second reading.
/// </summary>
internal static partial class TensorDecode<T, TScales> where T : struct, IGpuFormat where TScales : struct, IGpuScales
{
    private const int Warps = TensorDecode.MostWarps;

    private const int MostTokens = TensorDecode.MostTokens;

    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, GpuWeightView, ArrayView<Words4>, ArrayView<int>, ArrayView<int>,
        ArrayView<float>, GpuProduct>> Kernel4 =
        new(DecodeKernel<Four>, KernelNeeds.TensorCores | KernelNeeds.Hot, 32 * Warps, 2);
    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, GpuWeightView, ArrayView<Words4>, ArrayView<int>, ArrayView<int>,
        ArrayView<float>, GpuProduct>> Kernel8 =
        new(DecodeKernel<Eight>, KernelNeeds.TensorCores | KernelNeeds.Hot, 32 * Warps, 2);
    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, GpuWeightView, ArrayView<Words4>, ArrayView<int>, ArrayView<int>,
        ArrayView<float>, GpuProduct>> Kernel16 =
        new(DecodeKernel<Sixteen>, KernelNeeds.TensorCores | KernelNeeds.Hot, 32 * Warps, 2);

    /// <summary>Kernels for 4, 8 and 16 input rows at a time.</summary>
    internal interface ITokens
    {
        /// <summary>Eights of columns of the right operand: a quarter of the input rows.</summary>
        static abstract int Count { get; }
    }

    /// <summary>Fills y [tokens, rows] or [pairs, rows]; <paramref name="rowsEach"/> is how many input rows a matrix is likely to meet.</summary>
    public static void Run(GpuStream gpu, GpuWeight<T> weight, ArrayView<Words4> x, ArrayView<int> tokens, ArrayView<int> lists, Matrix y,
        GpuProduct product, int rowsEach)
    {
        var kernel = rowsEach <= 4 ? Kernel4 : rowsEach <= 8 ? Kernel8 : Kernel16;
        kernel.On(gpu.Device)(gpu.Queue, Config(gpu, weight, weight.Tiles, product), GpuWeightView.Of(weight, 0), x, tokens, lists, gpu.View(y),
            product);
    }

    private static KernelConfig Config(GpuStream gpu, GpuWeight<T> weight, int tiles, GpuProduct product)
    {
        var warps = Math.Min(gpu.Device.Traits.MostWarps, TensorDecode.WarpsFor(weight.Layout.Places / 64, tiles, weight.Experts));
        return new((int)Math.Min((long)tiles * product.Slots * product.Blocks, gpu.Device.Traits.MostGroups), 32 * warps);
    }

    internal static void DecodeKernel<TTokens>(GpuWeightView w, ArrayView<Words4> x, ArrayView<int> pairToken, ArrayView<int> lists,
        ArrayView<float> y,
        GpuProduct product)
        where TTokens : struct, ITokens
    {
        var sums = SharedMemory.Allocate<float>(Warps * MostTokens * 32);
        for (var item = Grid.IdxX; item < w.Tiles * product.Slots * product.Blocks; item += Grid.DimX)
        {
            // Groups that share a tile are neighbours: all but the first find it in the cache.
            var rest = item / product.Blocks;
            var first = (item - (rest * product.Blocks)) * 4 * TTokens.Count;
            var slot = rest / w.Tiles;
            var tile = rest - (slot * w.Tiles);
            var expert = product.Expert(lists, slot);
            var end = product.End(lists, expert);
            for (var pair = product.First(lists, expert) + first; pair < end; pair += 4 * TTokens.Count * product.Blocks)
            {
                Put<TTokens>(sums, Multiply<TTokens>(w, (product.Matrix(expert) * w.Tiles) + tile, x, pairToken, product, pair, end));
                Group.Barrier();
                Store<TTokens>(sums, y, w.Rows, tile, pair, end);
                Group.Barrier();
            }
        }
    }

    /// <summary>A warp's part of a tile, times the input rows from <paramref name="pair"/> on. Two units are in flight at a time.</summary>
    private static Sums Multiply<TTokens>(GpuWeightView w, long tile, ArrayView<Words4> x, ArrayView<int> pairToken, GpuProduct product, int pair,
        int end)
        where TTokens : struct, ITokens
    {
        var lane = Group.IdxX & 31;
        var warps = Group.DimX >> 5;
        var units = w.Chunks / T.Loads;
        var unit = Group.IdxX >> 5;
        var sums = default(Sums);
        if (unit >= units) return sums;

        // Column g of the right operand is input row g & 3, of plane g >> 2.
        var column = (lane >> 2) & 3;
        var from = x.SubView((lane >= 16 ? product.Plane : 0) + (lane & 3));
        var x0 = Row(from, pairToken, product, pair + column, end);
        var x1 = TTokens.Count > 1 ? Row(from, pairToken, product, pair + 4 + column, end) : x0;
        var x2 = TTokens.Count > 2 ? Row(from, pairToken, product, pair + 8 + column, end) : x0;
        var x3 = TTokens.Count > 2 ? Row(from, pairToken, product, pair + 12 + column, end) : x0;

        var part = TensorTile<T, TScales>.Of(w, tile, lane);
        var loaded = TensorTile<T, TScales>.Load(part, unit);
        while (unit < units)
        {
            // The next unit is on its way while this one is multiplied; the last one is asked for twice, which costs nothing that counts.
            var next = unit + warps;
            var coming = TensorTile<T, TScales>.Load(part, next < units ? next : unit);
            var at = unit * 8;
            var (a0, a1) = (TensorTile<T, TScales>.Open(part, loaded, 0), TensorTile<T, TScales>.Open(part, loaded, 1));
            sums.First = Add(sums.First, a0, a1, loaded, x0.SubView(at));
            if (TTokens.Count > 1) sums.Second = Add(sums.Second, a0, a1, loaded, x1.SubView(at));
            if (TTokens.Count > 2)
            {
                sums.Third = Add(sums.Third, a0, a1, loaded, x2.SubView(at));
                sums.Fourth = Add(sums.Fourth, a0, a1, loaded, x3.SubView(at));
            }
            loaded = coming;
            unit = next;
        }
        return sums;
    }

    private static Acc4 Add(
        Acc4 sum, TensorTile<T, TScales>.Half32 a0, TensorTile<T, TScales>.Half32 a1, TensorTile<T, TScales>.Unit unit, ArrayView<Words4> x) =>
        TensorTile<T, TScales>.Add<OnePlane>(sum, a0, a1, unit, x[0], x[4], default, default);

    private static ArrayView<Words4> Row(ArrayView<Words4> x, ArrayView<int> pairToken, GpuProduct product, int pair, int end) =>
        x.SubView(product.Input(pairToken, pair, end) >> 3);

    /// <summary>[warps, eights, 16 rows, 8 columns].</summary>
    private static void Put<TTokens>(ArrayView<float> shared, Sums sums) where TTokens : struct, ITokens
    {
        var first = (Group.IdxX >> 5) * TTokens.Count * 128;
        Put(shared, first, sums.First);
        if (TTokens.Count > 1) Put(shared, first + 128, sums.Second);
        if (TTokens.Count > 2)
        {
            Put(shared, first + 256, sums.Third);
            Put(shared, first + 384, sums.Fourth);
        }
    }

    private static void Put(ArrayView<float> shared, int first, Acc4 sum)
    {
        var lane = Group.IdxX & 31;
        var at = first + ((lane >> 2) * 8) + (2 * (lane & 3));
        shared[at] = sum.A;
        shared[at + 1] = sum.B;
        shared[at + 64] = sum.C;
        shared[at + 65] = sum.D;
    }

    /// <summary>Writes what the warps have put there.</summary>
    private static void Store<TTokens>(ArrayView<float> shared, ArrayView<float> y, int rows, int tile, int pair, int end)
        where TTokens : struct, ITokens
    {
        for (var o = Group.IdxX; o < 64 * TTokens.Count; o += Group.DimX)
        {
            var (token, row) = (pair + (o >> 4), (tile * 16) + (o & 15));
            var sum = Fold<TTokens>(shared, o);
            if (token < end && row < rows) y[((long)token * rows) + row] = sum;
        }
    }

    /// <summary>Output o = 16 · token + row, summed over warps and both planes.</summary>
    private static float Fold<TTokens>(ArrayView<float> shared, int o) where TTokens : struct, ITokens
    {
        var at = ((o >> 6) * 128) + ((o & 15) * 8) + ((o >> 4) & 3);
        var sum = 0f;
        for (var warp = 0; warp < Group.DimX >> 5; warp++)
        {
            sum += shared[at] + shared[at + 4];
            at += TTokens.Count * 128;
        }
        return sum;
    }

    private struct Sums
    {
        public Acc4 First;
        public Acc4 Second;
        public Acc4 Third;
        public Acc4 Fourth;
    }

    internal readonly struct Four : ITokens
    {
        public static int Count => 1;
    }

    internal readonly struct Eight : ITokens
    {
        public static int Count => 2;
    }

    internal readonly struct Sixteen : ITokens
    {
        public static int Count => 4;
    }
}
