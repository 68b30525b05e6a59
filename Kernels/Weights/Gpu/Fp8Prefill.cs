using ILGPU;
using ILGPU.Runtime;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Weights;

/// <summary>
/// GEMM of FP8 weights with many rows whose input is FP8 too (<see cref="Fp8Rows"/>), for devices whose tensor cores take that: twice the
/// rate of bfloat16 on sm_89 and sm_120. Groups, warps and copies as in <see cref="TensorPrefill{T, TScales}"/>, 128 columns at a time, which have
/// one scale a row on both sides.
/// </summary>
internal static class Fp8Prefill
{
    private const int Half = PrefillItem.Half;

    /// <summary>Of 128 columns.</summary>
    private const int Stage = 2 * Half;

    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, GpuWeightView, ArrayView<Words4>, ArrayView<float>, ArrayView<int>,
        ArrayView<int>, ArrayView<float>, GpuProduct>> Kernel =
        new(PrefillKernel, KernelNeeds.TensorCores | KernelNeeds.Fp8 | KernelNeeds.Hot, PrefillItem.Threads, 2);

    /// <summary>Whether it takes a weight on a stream.</summary>
    public static bool Takes<T>(GpuStream gpu, GpuWeight<T> weight) where T : struct, IGpuFormat =>
        weight is GpuWeight<Fp8Gpu> && gpu.Activations == Activations.Fp8 && gpu.Device.Traits.Fp8 && weight.Layout.Places % Fp8Rows.Segment == 0
            && weight.Layout.SegmentShift >= 3;

    /// <summary>Fills y [tokens, rows] or [pairs, rows].</summary>
    public static void Run<T>(GpuStream gpu, GpuWeight<T> weight, (ArrayView<Words4> Codes, ArrayView<float> Scales) x, ArrayView<int> tokens,
        ArrayView<int> lists, Matrix y, GpuProduct product)
        where T : struct, IGpuFormat
    {
        var config = PrefillItem.Config(gpu, weight.Tiles, y.Rows, ref product);
        Kernel.On(gpu.Device)(
            gpu.Queue, config, GpuWeightView.Of(weight, 0), x.Codes, x.Scales, tokens, lists, gpu.View(y), product);
    }

    internal static void PrefillKernel(
        GpuWeightView w, ArrayView<Words4> x, ArrayView<float> scales, ArrayView<int> pairToken, ArrayView<int> lists, ArrayView<float> y,
            GpuProduct product)
    {
        var input = SharedMemory.Allocate<Words4>(2 * Stage);
        var rowScales = SharedMemory.Allocate<float>(2 * PrefillItem.Tokens);
        for (var item = Grid.IdxX; item < PrefillItem.Count(w, product); item += Grid.DimX)
        {
            var at = PrefillItem.Of(w, lists, product, item);
            for (var pair = at.First; pair < at.Stop; pair += PrefillItem.Tokens)
            {
                var sums = Multiply(w, at.Tile0, at.Tile1, x, scales, pairToken, product, pair, at.End, input, rowScales);
                PrefillSums.Store(y, w, at.Tile, pair, at.End, sums.Low);
                PrefillSums.Store(y, w, at.Tile + 1, pair, at.End, sums.High);
            }
        }
    }

    private static PrefillSums Multiply(
        GpuWeightView w, long tile0, long tile1, ArrayView<Words4> x, ArrayView<float> scales, ArrayView<int> pairToken, GpuProduct product, int pair,
        int end, ArrayView<Words4> input,
        ArrayView<float> rowScales)
    {
        var lane = Group.IdxX & 31;
        var units = w.Chunks >> 2;

        // Thread n copies lane n & 3 of input rows n >> 2 and (n >> 2) + 32, both halves of the 128 columns, and the scale of input row n & 63.
        var from0 = x.SubView((product.Input(pairToken, pair + (Group.IdxX >> 2), end) >> 4) + (Group.IdxX & 3));
        var from1 = x.SubView((product.Input(pairToken, pair + 32 + (Group.IdxX >> 2), end) >> 4) + (Group.IdxX & 3));
        var fromScale = scales.SubView(product.Input(pairToken, pair + (Group.IdxX & 63), end) >> 7);
        var to = input.SubView(Group.IdxX);
        Fetch(from0, from1, to);
        rowScales[Group.IdxX & 63] = fromScale[0];
        var (part0, part1) = (TensorTile<Fp8Gpu, WideFloat32Scales>.Of(w, tile0, lane), TensorTile<Fp8Gpu, WideFloat32Scales>.Of(w, tile1, lane));
        var (loaded0, loaded1) = (Load(part0, 0), Load(part1, 0));

        var sums = default(PrefillSums);
        for (var unit = 0; unit < units; unit++)
        {
            var next = unit + 1 < units ? unit + 1 : unit;
            var other = (unit + 1) & 1;
            Fetch(from0.SubView(8 * next), from1.SubView(8 * next), to.SubView(other * Stage));
            var coming = fromScale[next];
            var (a0, a1) = (Open(loaded0), Open(loaded1));
            (loaded0, loaded1) = (Load(part0, next), Load(part1, next));
            TensorCore.WaitAllButOne();
            Group.Barrier();
            var at = input.SubView(((unit & 1) * Stage) + lane);
            var scale = rowScales.SubView(((unit & 1) * PrefillItem.Tokens) + (2 * (lane & 3)));
            Add(ref sums.Low.A, ref sums.High.A, a0, a1, at, scale, 0);
            Add(ref sums.Low.B, ref sums.High.B, a0, a1, at, scale, 1);
            Add(ref sums.Low.C, ref sums.High.C, a0, a1, at, scale, 2);
            Add(ref sums.Low.D, ref sums.High.D, a0, a1, at, scale, 3);
            Add(ref sums.Low.E, ref sums.High.E, a0, a1, at, scale, 4);
            Add(ref sums.Low.F, ref sums.High.F, a0, a1, at, scale, 5);
            Add(ref sums.Low.G, ref sums.High.G, a0, a1, at, scale, 6);
            Add(ref sums.Low.H, ref sums.High.H, a0, a1, at, scale, 7);
            rowScales[(other * PrefillItem.Tokens) + (Group.IdxX & 63)] = coming;
            Group.Barrier();
        }
        TensorCore.Wait();
        return sums;
    }

    /// <summary>Begins to copy 128 columns of the 64 input rows.</summary>
    private static void Fetch(ArrayView<Words4> from0, ArrayView<Words4> from1, ArrayView<Words4> to)
    {
        PrefillItem.Copy(from0, from1, to);
        TensorCore.Commit();
    }

    private static Unit Load(TensorTile<Fp8Gpu, WideFloat32Scales>.Part part, int unit)
    {
        var words = part.Words.SubView(unit * 128);
        var scales = part.Scales.SubView(((8 * unit) >> part.Shift) * 16);
        return new Unit
        {
            A = TensorCore.LoadOnce(ref words[0]), B = TensorCore.LoadOnce(ref words[32]), C = TensorCore.LoadOnce(ref words[64]),
            D = TensorCore.LoadOnce(ref words[96]),
            Low = Interop.IntAsFloat(scales[0]), High = Interop.IntAsFloat(scales[1]),
        };
    }

    /// <summary>In memory the codes of rows g and g + 8 take turns; here each word is of one row.</summary>
    private static Unit Open(Unit unit) =>
        new() { A = Open(unit.A), B = Open(unit.B), C = Open(unit.C), D = Open(unit.D), Low = unit.Low, High = unit.High };

    private static Words4 Open(Words4 words) => new()
    {
        A = TensorCore.EvenBytes(words.A, words.B), B = TensorCore.OddBytes(words.A, words.B), C = TensorCore.EvenBytes(words.C, words.D),
        D = TensorCore.OddBytes(words.C, words.D),
    };

    /// <summary>128 columns of two tiles times eight input rows.</summary>
    private static void Add(ref Acc4 low, ref Acc4 high, Unit a0, Unit a1, ArrayView<Words4> input, ArrayView<float> scales, int eight)
    {
        var (near, far) = (input[32 * eight], input[Half + (32 * eight)]);
        var (left, right) = (scales[8 * eight], scales[(8 * eight) + 1]);
        low = Add(low, a0, near, far, left, right);
        high = Add(high, a1, near, far, left, right);
    }

    private static Acc4 Add(Acc4 sum, Unit a, Words4 near, Words4 far, float left, float right)
    {
        var part = TensorCore.MultiplyFp8(default, a.A.A, a.A.B, a.A.C, a.A.D, near.A, near.B);
        part = TensorCore.MultiplyFp8(part, a.B.A, a.B.B, a.B.C, a.B.D, near.C, near.D);
        part = TensorCore.MultiplyFp8(part, a.C.A, a.C.B, a.C.C, a.C.D, far.A, far.B);
        part = TensorCore.MultiplyFp8(part, a.D.A, a.D.B, a.D.C, a.D.D, far.C, far.D);
        sum.A += part.A * (a.Low * left);
        sum.B += part.B * (a.Low * right);
        sum.C += part.C * (a.High * left);
        sum.D += part.D * (a.High * right);
        return sum;
    }

    /// <summary>A lane's part of 128 columns of a tile, 32 a field, and the scales of its two rows.</summary>
    private struct Unit
    {
        public Words4 A;
        public Words4 B;
        public Words4 C;
        public Words4 D;
        public float Low;
        public float High;
    }
}
