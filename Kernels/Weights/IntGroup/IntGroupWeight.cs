using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights.Tiles;

namespace Quilt.Kernels.Weights;

/// <summary>
/// 4-bit integers with one scale, and perhaps a zero point, a row and group of columns (specs: compressed-tensors pack-quantized).
/// W[n, k] = (code − zero) · scale, with zero 8 where there are no zero points.
/// </summary>
internal sealed partial class Int4GroupWeight(string name, int experts, int rows, int columns, TileLayout layout, int group, TileScales scales,
    bool zeroPoints, TileMemory? memory = null)
    : TiledWeight<Int4Format>(name, experts, rows, columns, layout, scales, zeroPoints, memory)
{
    public override string Format => group >= Columns ? "int4 channel" : $"int4 g{group}";

    protected override int Zero => 8;

    protected override void MultiplyArranged<T, TRegister>(OpStream ops, Matrix x, in TileTask task)
    {
        if (ops.Activations == Activations.Float) base.MultiplyArranged<T, TRegister>(ops, x, task);
        else TileMatMul.Run<Int4ByInt8Product<TRegister>, T>(ops, Layout, new(Layout, Int8Activations.Quantize(ops, x)), task);
    }
}

/// <summary>8-bit integers, otherwise as <see cref="Int4GroupWeight"/>; zero 128 where there are no zero points.</summary>
internal sealed partial class Int8GroupWeight(string name, int experts, int rows, int columns, TileLayout layout, int group, TileScales scales,
    bool zeroPoints, TileMemory? memory = null)
    : TiledWeight<Int8Format>(name, experts, rows, columns, layout, scales, zeroPoints, memory)
{
    public override string Format => group >= Columns ? "int8 channel" : $"int8 g{group}";

    protected override int Zero => 128;

    protected override void MultiplyArranged<T, TRegister>(OpStream ops, Matrix x, in TileTask task)
    {
        var isExact = ops.Activations == Activations.Float || HasZeroPoints || !PairProduct<TRegister, Int8Format>.Suits(Layout);
        if (isExact) base.MultiplyArranged<T, TRegister>(ops, x, task);
        else TileMatMul.Run<PairProduct<TRegister, Int8Format>, T>(ops, Layout, new(ops, Layout, x, task.Plan, task.Rows), task);
    }
}
