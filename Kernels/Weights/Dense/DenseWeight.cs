using Quilt.Kernels.Weights.Tiles;

namespace Quilt.Kernels.Weights;

/// <summary>A matrix of plain bfloat16, held as stored.</summary>
internal sealed partial class BFloat16Weight(string name, int experts, int rows, int columns, TileMemory? memory = null)
    : TiledWeight<BFloat16Format>(name, experts, rows, columns, TileLayout.Even<BFloat16Format>(columns, columns), TileScales.None, zeroPoints: false,
        memory)
{
    public override string Format => "bf16";
}

/// <summary>A matrix of plain float16, held as stored.</summary>
internal sealed partial class Float16Weight(string name, int experts, int rows, int columns, TileMemory? memory = null)
    : TiledWeight<Float16Format>(name, experts, rows, columns, TileLayout.Even<Float16Format>(columns, columns), TileScales.None, zeroPoints: false,
        memory)
{
    public override string Format => "f16";
}

/// <summary>A matrix of plain float32.</summary>
internal sealed partial class Float32Weight(string name, int experts, int rows, int columns, TileMemory? memory = null)
    : TiledWeight<Float32Format>(name, experts, rows, columns, TileLayout.Even<Float32Format>(columns, columns), TileScales.None, zeroPoints: false,
        memory)
{
    public override string Format => "f32";
}
