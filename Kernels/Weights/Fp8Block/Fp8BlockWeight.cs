using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights.Tiles;

namespace Quilt.Kernels.Weights;

/// <summary>
/// FP8 E4M3 with one float32 scale a block of rows and columns (specs: official fp8, compressed-tensors float-quantized; a channel is a block of one
/// row, a tensor is one block). The scale is kept for every row and block of columns, so blocks of any height meet the tiles of 16 rows.
/// </summary>
internal sealed partial class Fp8BlockWeight(string name, int experts, int rows, int columns, int blockRows, int blockColumns,
    TileMemory? memory = null)
    : TiledWeight<Fp8Format>(name, experts, rows, columns, TileLayout.Even<Fp8Format>(columns, blockColumns), TileScales.Float32, zeroPoints: false,
        memory)
{
    public override string Format => blockRows == 1 && blockColumns >= Columns ? "fp8 channel"
        : blockRows >= Rows && blockColumns >= Columns ? "fp8 tensor"
        : $"fp8 {blockRows}x{blockColumns}";

    protected override void MultiplyArranged<T, TRegister>(OpStream ops, Matrix x, in TileTask task)
    {
        var isExact = ops.Activations == Activations.Float || !PairProduct<TRegister, Fp8Format>.Suits(Layout);
        if (isExact) base.MultiplyArranged<T, TRegister>(ops, x, task);
        else TileMatMul.Run<PairProduct<TRegister, Fp8Format>, T>(ops, Layout, new(ops, Layout, x, task.Plan, task.Rows), task);
    }
}
