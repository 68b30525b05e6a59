using ILGPU;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Weights;

/// <summary>A GPU weight as kernels see it.</summary>
internal struct GpuWeightView
{
    public ArrayView<Words4> Words;
    public ArrayView<uint> Scales;
    public ArrayView<uint> Zeros;
    public ArrayView<int> SegmentOfStep;

    /// <summary>Tiles before the matrix: 0 where an expert's number is added by the kernel.</summary>
    public long FirstTile;
    public int Rows;
    public int Columns;
    public int Tiles;
    public int Chunks;
    public int Segments;

    /// <summary>0: no scales; 1: bfloat16; 2: float32.</summary>
    public int ScaleWords;

    /// <summary>Whether codes have zero points of their own.</summary>
    public int HasZeros;

    /// <summary>The zero of all codes, otherwise.</summary>
    public float ZeroCode;

    /// <summary>−(128 + that zero) as two bfloat16.</summary>
    public uint NegativeZero;

    /// <summary>Step s belongs to segment s >> this; only for the tensor-core kernels.</summary>
    public int SegmentShift;

    public static GpuWeightView Of<T>(GpuWeight<T> weight, int expert) where T : struct, IGpuFormat => new()
    {
        Words = weight.Words,
        Scales = weight.Scales,
        Zeros = weight.Zeros,
        SegmentOfStep = weight.SegmentOfStep,
        FirstTile = (long)expert * weight.Tiles,
        Rows = weight.Rows,
        Columns = weight.Columns,
        Tiles = weight.Tiles,
        Chunks = weight.Layout.Chunks,
        Segments = weight.Layout.Segments,
        ScaleWords = weight.IsScaled ? weight.ScaleWords : 0,
        HasZeros = weight.HasZeroPoints ? 1 : 0,
        ZeroCode = weight.Zero,
        NegativeZero = (BitConverter.SingleToUInt32Bits(-(128f + weight.Zero)) & 0xFFFF0000) | (
            BitConverter.SingleToUInt32Bits(-(128f + weight.Zero)) >> 16),
        SegmentShift = weight.Layout.SegmentShift,
    };

    /// <summary>The scale of row pair + 8 · half of a tile in a segment.</summary>
    public readonly float Scale(long tile, int segment, int pair, int half)
    {
        if (ScaleWords == 0) return 1f;
        var at = ((((FirstTile + tile) * Segments) + segment) * 8) + pair;
        if (ScaleWords == 2) return Interop.IntAsFloat(Scales[(2 * at) + half]);
        var word = Scales[at];
        return Interop.IntAsFloat(half == 0 ? word << 16 : word & 0xFFFF0000);
    }

    /// <summary>The zero of row pair + 8 · half of a tile in a segment.</summary>
    public readonly float Zero(long tile, int segment, int pair, int half)
    {
        if (HasZeros == 0) return ZeroCode;
        var word = Zeros[((((FirstTile + tile) * Segments) + segment) * 8) + pair];
        return (int)((word >> (16 * half)) & 0xFFFF);    // as int: a uint would become a float by way of a double
    }
}
