using ILGPU;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;

namespace Quilt.Kernels.Weights;

/// <summary>Products with matrix instructions: brings the input into their form and chooses the kernel by the number of rows.</summary>
internal static class TensorProduct<T, TScales> where T : struct, IGpuFormat where TScales : struct, IGpuScales
{
    /// <summary>Rows up to which a product is bound by the reading of its weight.</summary>
    private const int DecodeRows = 16;

    /// <summary>Rows up to which gate and up are multiplied in one launch: more sums would not stand in registers.</summary>
    private const int GatedRows = 8;

    /// <summary>Fills y [tokens, rows] or [pairs, rows].</summary>
    public static void Run(GpuStream gpu, GpuWeight<T> weight, Matrix x, ArrayView<int> tokens, ArrayView<int> lists, Matrix y, GpuProduct product)
    {
        var rows = RowsEach(y.Rows, product);
        product.Planes = rows <= DecodeRows || gpu.Activations == Activations.Float ? 2 : 1;
        product.Plane = (long)x.Rows * weight.Layout.Places / 8;
        var halves = HalfRows.Make(gpu, x, weight.Order, weight.Layout.Places, product.Planes);
        if (rows <= DecodeRows) TensorDecode<T, TScales>.Run(gpu, weight, halves, tokens, lists, y, product, rows);
        else TensorPrefill<T, TScales>.Run(gpu, weight, halves, tokens, lists, y, product);
    }

    /// <summary>silu(gate · x) ⊙ (up · x) in one launch, for a plan's pairs; false where they are too many.</summary>
    public static bool TryRunGated(
        GpuStream gpu, GpuWeight<T> gate, GpuWeight<T> up, Matrix x, ArrayView<int> tokens, ArrayView<int> lists, Matrix into, GpuProduct product)
    {
        var rows = RowsEach(into.Rows, product);
        if (rows > GatedRows) return false;
        product.Planes = 2;
        product.Plane = (long)x.Rows * gate.Layout.Places / 8;
        TensorDecode<T, TScales>.RunGated(gpu, gate, up, HalfRows.Make(gpu, x, gate.Order, gate.Layout.Places, product.Planes), tokens, lists, into, product, rows);
        return true;
    }

    /// <summary>Input rows that a matrix is likely to meet.</summary>
    private static int RowsEach(int rows, GpuProduct product) => (rows + product.Slots - 1) / product.Slots;
}
