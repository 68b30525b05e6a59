using ILGPU;
using ILGPU.Runtime;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;

namespace Quilt.Kernels.Weights;

/// <summary>Several weights with one input in one launch: a launch costs a decoding step as much as the reading of ten megabytes.</summary>
internal static partial class TensorDecode<T, TScales>
{
    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, GpuWeightView, GpuWeightView, ArrayView<Words4>, ArrayView<int>,
    ArrayView<int>,
        ArrayView<float>, GpuProduct>> Gated4 =
        new(GatedKernel<Four>, KernelNeeds.TensorCores | KernelNeeds.Hot, 32 * Warps, 2);
    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, GpuWeightView, GpuWeightView, ArrayView<Words4>, ArrayView<int>,
    ArrayView<int>,
        ArrayView<float>, GpuProduct>> Gated8 =
        new(GatedKernel<Eight>, KernelNeeds.TensorCores | KernelNeeds.Hot, 32 * Warps, 2);
    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, GpuWeightView, GpuWeightView, GpuWeightView, ArrayView<Words4>,
    ArrayView<float>,
        ArrayView<float>, ArrayView<float>, GpuProduct>> Three4 =
        new(ThreeKernel<Four>, KernelNeeds.TensorCores | KernelNeeds.Hot, 32 * Warps, 2);
    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, GpuWeightView, GpuWeightView, GpuWeightView, ArrayView<Words4>,
    ArrayView<float>,
        ArrayView<float>, ArrayView<float>, GpuProduct>> Three8 =
        new(ThreeKernel<Eight>, KernelNeeds.TensorCores | KernelNeeds.Hot, 32 * Warps, 2);
    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, GpuWeightView, GpuWeightView, GpuWeightView, ArrayView<Words4>,
    ArrayView<float>,
        ArrayView<float>, ArrayView<float>, GpuProduct>> Three16 =
        new(ThreeKernel<Sixteen>, KernelNeeds.TensorCores | KernelNeeds.Hot, 32 * Warps, 2);

    /// <summary>silu(gate · x) ⊙ (up · x) of two weights of one shape: fills y [pairs, rows].</summary>
    public static void RunGated(
        GpuStream gpu, GpuWeight<T> gate, GpuWeight<T> up, ArrayView<Words4> x, ArrayView<int> tokens, ArrayView<int> lists, Matrix y,
            GpuProduct product, int rowsEach)
    {
        var kernel = rowsEach <= 4 ? Gated4 : Gated8;
        kernel.On(gpu.Device)(gpu.Queue, Config(gpu, gate, gate.Tiles, product), GpuWeightView.Of(gate, 0), GpuWeightView.Of(up, 0), x, tokens, lists,
            gpu.View(y), product);
    }

    /// <summary>Three matrices of as many columns: fills a y [tokens, rows] for each.</summary>
    public static void RunThree(GpuStream gpu, ArrayView<Words4> x, (GpuWeight<T> W, Matrix Y) first, (GpuWeight<T> W, Matrix Y) second,
        (GpuWeight<T> W, Matrix Y) third, GpuProduct product)
    {
        var kernel = product.Count <= 4 ? Three4 : product.Count <= 8 ? Three8 : Three16;
        kernel.On(gpu.Device)(
            gpu.Queue, Config(gpu, first.W, first.W.Tiles + second.W.Tiles + third.W.Tiles, product), GpuWeightView.Of(first.W, 0),
            GpuWeightView.Of(second.W, 0),
            GpuWeightView.Of(third.W, 0), x,
            gpu.View(first.Y), gpu.View(second.Y), gpu.View(third.Y), product);
    }

    internal static void GatedKernel<TTokens>(
        GpuWeightView gate, GpuWeightView up, ArrayView<Words4> x, ArrayView<int> pairToken, ArrayView<int> lists, ArrayView<float> y,
            GpuProduct product)
        where TTokens : struct, ITokens
    {
        var gates = SharedMemory.Allocate<float>(Warps * 8 * 32);
        var ups = SharedMemory.Allocate<float>(Warps * 8 * 32);
        for (var item = Grid.IdxX; item < gate.Tiles * product.Slots; item += Grid.DimX)
        {
            var slot = item / gate.Tiles;
            var tile = item - (slot * gate.Tiles);
            var expert = product.Expert(lists, slot);
            var end = product.End(lists, expert);
            for (var pair = product.First(lists, expert); pair < end; pair += 4 * TTokens.Count)
            {
                var matrixTile = (product.Matrix(expert) * gate.Tiles) + tile;
                Put<TTokens>(gates, Multiply<TTokens>(gate, matrixTile, x, pairToken, product, pair, end));
                Put<TTokens>(ups, Multiply<TTokens>(up, matrixTile, x, pairToken, product, pair, end));
                Group.Barrier();
                for (var o = Group.IdxX; o < 64 * TTokens.Count; o += Group.DimX)
                {
                    var (token, row) = (pair + (o >> 4), (tile * 16) + (o & 15));
                    var value = SiluMulOp.Silu(Fold<TTokens>(gates, o)) * Fold<TTokens>(ups, o);
                    if (token < end && row < gate.Rows) y[((long)token * gate.Rows) + row] = value;
                }
                Group.Barrier();
            }
        }
    }

    /// <summary>A group takes a tile of one of the three.</summary>
    internal static void ThreeKernel<TTokens>(
        GpuWeightView first, GpuWeightView second, GpuWeightView third, ArrayView<Words4> x, ArrayView<float> ofFirst, ArrayView<float> ofSecond,
            ArrayView<float> ofThird, GpuProduct product)
        where TTokens : struct, ITokens
    {
        var sums = SharedMemory.Allocate<float>(Warps * MostTokens * 32);
        for (var item = Grid.IdxX; item < (first.Tiles + second.Tiles + third.Tiles) * product.Blocks; item += Grid.DimX)
        {
            var tile = item / product.Blocks;
            var token = (item - (tile * product.Blocks)) * 4 * TTokens.Count;
            if (tile < first.Tiles) Tile<TTokens>(sums, first, tile, x, token, ofFirst, product);
            else if (tile < first.Tiles + second.Tiles) Tile<TTokens>(sums, second, tile - first.Tiles, x, token, ofSecond, product);
            else Tile<TTokens>(sums, third, tile - first.Tiles - second.Tiles, x, token, ofThird, product);
        }
    }

    private static void Tile<TTokens>(ArrayView<float> sums, GpuWeightView w, int tile, ArrayView<Words4> x, int token, ArrayView<float> y,
        GpuProduct product)
        where TTokens : struct, ITokens
    {
        // Not looked at: the rows are no pairs of a plan.
        var pairToken = w.SegmentOfStep;
        for (; token < product.Count; token += 4 * TTokens.Count * product.Blocks)
        {
            Put<TTokens>(sums, Multiply<TTokens>(w, tile, x, pairToken, product, token, product.Count));
            Group.Barrier();
            Store<TTokens>(sums, y, w.Rows, tile, token, product.Count);
            Group.Barrier();
        }
    }
}
