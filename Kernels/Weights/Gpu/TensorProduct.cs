using ILGPU;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Kernels.Weights.Tiles;

namespace Quilt.Kernels.Weights;

/// <summary>Products on tensor cores of a weight of one format: one for each way its scales can lie.</summary>
internal abstract class TensorProduct<T> where T : struct, IGpuFormat
{
    private static readonly TensorProduct<T>
        None = new TensorProduct<T, NoScales>(), Half = new TensorProduct<T, BFloat16Scales>(), Full = new TensorProduct<T, Float32Scales>(),
        WideFull = new TensorProduct<T, WideFloat32Scales>(),
        HalfZeros = new TensorProduct<T, BFloat16ZeroScales>(), FullZeros = new TensorProduct<T, Float32ZeroScales>();

    /// <summary>
    /// The one for a weight: codes of 8 bits have float32 scales for 64 columns or more (<see cref="GpuWeight{T}.SuitsTensorCores"/>), those of 4 for
    /// 32 or more.
    /// </summary>
    public static TensorProduct<T> For(GpuWeight<T> weight) => (weight.ScaleType, T.Bits == 8, weight.HasZeroPoints) switch
    {
        (TileScales.None, _, _) => None,
        (_, true, _) => WideFull,
        (TileScales.BFloat16, _, true) => HalfZeros,
        (TileScales.BFloat16, _, _) => Half,
        (_, _, true) => FullZeros,
        _ => Full,
    };

    /// <summary>Fills y [tokens, rows] or [pairs, rows].</summary>
    public abstract void Run(GpuStream gpu, GpuWeight<T> weight, Matrix x, ArrayView<int> tokens, ArrayView<int> lists, Matrix y, GpuProduct product);

    /// <summary>silu(gate · x) ⊙ (up · x) in one launch, for a plan's pairs; false where they are too many.</summary>
    public abstract bool TryRunGated(
        GpuStream gpu, GpuWeight<T> gate, GpuWeight<T> up, Matrix x, ArrayView<int> tokens, ArrayView<int> lists, Matrix into, GpuProduct product);

    /// <summary>Three products of one input, whose rows are brought into form once; few rows in one launch.</summary>
    public abstract void RunThree(GpuStream gpu, Matrix x, (GpuWeight<T> W, Matrix Y) first, (GpuWeight<T> W, Matrix Y) second,
        (GpuWeight<T> W, Matrix Y) third, GpuProduct product);
}

/// <summary>Brings the input into the form of the mma instructions and chooses the kernel by the number of rows.</summary>
internal sealed class TensorProduct<T, TScales> : TensorProduct<T> where T : struct, IGpuFormat where TScales : struct, IGpuScales
{
    /// <summary>Rows up to which a product is bound by the reading of its weight.</summary>
    private const int DecodeRows = TensorDecode.MostTokens;

    /// <summary>Rows up to which gate and up are multiplied in one launch: more sums would not stand in registers.</summary>
    private const int GatedRows = 8;

    public override void Run(GpuStream gpu, GpuWeight<T> weight, Matrix x, ArrayView<int> tokens, ArrayView<int> lists, Matrix y, GpuProduct product)
    {
        var rows = RowsEach(y.Rows, product);
        var decodes = Decodes(gpu, weight.Tiles, rows, ref product);
        if (!decodes && Fp8Prefill.Takes(gpu, weight))
        {
            Fp8Prefill.Run(gpu, weight, Fp8Rows.Make(gpu, x, weight.Order, weight.Layout.Places), tokens, lists, y, product);
            return;
        }
        var halves = Halves(gpu, weight, x, decodes, ref product);
        if (decodes) TensorDecode<T, TScales>.Run(gpu, weight, halves, tokens, lists, y, product, rows);
        else TensorPrefill<T, TScales>.Run(gpu, weight, halves, tokens, lists, y, product);
    }

    public override bool TryRunGated(
        GpuStream gpu, GpuWeight<T> gate, GpuWeight<T> up, Matrix x, ArrayView<int> tokens, ArrayView<int> lists, Matrix into, GpuProduct product)
    {
        var rows = RowsEach(into.Rows, product);
        if (rows > GatedRows) return false;
        var halves = Halves(gpu, gate, x, decodes: true, ref product);
        TensorDecode<T, TScales>.RunGated(gpu, gate, up, halves, tokens, lists, into, product, rows);
        return true;
    }

    public override void RunThree(GpuStream gpu, Matrix x, (GpuWeight<T> W, Matrix Y) first, (GpuWeight<T> W, Matrix Y) second,
        (GpuWeight<T> W, Matrix Y) third, GpuProduct product)
    {
        if (Decodes(gpu, first.W.Tiles + second.W.Tiles + third.W.Tiles, x.Rows, ref product))
        {
            TensorDecode<T, TScales>.RunThree(gpu, Halves(gpu, first.W, x, decodes: true, ref product), first, second, third, product);
            return;
        }
        ReadOnlySpan<(GpuWeight<T> Weight, Matrix Y)> three = [first, second, third];
        if (Fp8Prefill.Takes(gpu, first.W) && Fp8Prefill.Takes(gpu, second.W) && Fp8Prefill.Takes(gpu, third.W))
        {
            var codes = Fp8Rows.Make(gpu, x, first.W.Order, first.W.Layout.Places);
            foreach (var (weight, y) in three) Fp8Prefill.Run(gpu, weight, codes, weight.Order, weight.Order, y, product);
            return;
        }
        var halves = Halves(gpu, first.W, x, decodes: false, ref product);
        foreach (var (weight, y) in three) TensorPrefill<T, TScales>.Run(gpu, weight, halves, weight.Order, weight.Order, y, product);
    }

    /// <summary>
    /// Whether the kernels for few rows take a product: a matrix of few tiles also with some dozens of rows, each sixteen of which get groups of
    /// their own, since the kernels for many rows would leave most of the device idle.
    /// </summary>
    private static bool Decodes(GpuStream gpu, int tiles, int rows, ref GpuProduct product)
    {
        if (rows <= DecodeRows) return true;
        if (product.Experts != 0 || rows > PrefillItem.Tokens || tiles >= gpu.Device.Traits.FewTiles) return false;
        product.Blocks = (rows + DecodeRows - 1) / DecodeRows;
        return true;
    }

    private static ArrayView<Words4> Halves(GpuStream gpu, GpuWeight<T> weight, Matrix x, bool decodes, ref GpuProduct product)
    {
        product.Planes = decodes || gpu.Activations == Activations.Float ? 2 : 1;
        product.Plane = (long)x.Rows * weight.Layout.Places / 8;
        return HalfRows.Make(gpu, x, weight.Order, weight.Layout.Places, product.Planes);
    }

    /// <summary>Input rows that a matrix is likely to meet.</summary>
    private static int RowsEach(int rows, GpuProduct product) => (rows + product.Slots - 1) / product.Slots;
}
