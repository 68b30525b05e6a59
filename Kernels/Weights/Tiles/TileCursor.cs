using System.Runtime.CompilerServices;
using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Weights.Tiles;

/// <summary>One tile of a weight: its words, and its scales and zero points by segment. The next tile's segments follow behind its own.</summary>
internal readonly unsafe struct TileCursor
{
    private readonly byte* scales;
    private readonly byte* zeros;
    private readonly TileScales scaleType;
    private readonly float offset;

    public TileCursor(in TileView view, TileLayout layout, long tile)
    {
        Words = (float*)view.Codes + (tile * layout.Words * 16);
        (scaleType, offset) = (view.ScaleType, view.Offset);
        scales = view.Scales is null ? null : view.Scales + (tile * layout.Segments * 16 * (scaleType == TileScales.BFloat16 ? 2 : 4));
        zeros = view.Zeros is null ? null : view.Zeros + (tile * layout.Segments * 16);
    }

    private TileCursor(in TileCursor tile, TileLayout layout, int count)
    {
        this = tile;
        Words += (nint)count * layout.Words * 16;
        if (scales is not null) scales += (nint)count * layout.Segments * 16 * (scaleType == TileScales.BFloat16 ? 2 : 4);
        if (zeros is not null) zeros += (nint)count * layout.Segments * 16;
    }

    /// <summary>The tile <paramref name="count"/> further on.</summary>
    public TileCursor Next(TileLayout layout, int count) => count == 0 ? this : new(this, layout, count);

    /// <summary>The first word of each of the 16 rows; the bits are codes, not floats.</summary>
    public float* Words { get; }

    /// <summary>Whether codes have zero points of their own.</summary>
    public bool HasZeros => zeros is not null;

    /// <summary>The zero points of a register's rows, as numbers, from row <paramref name="lane"/> on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Zero<T>(int segment, int lane) where T : unmanaged, IRegister<T> => T.LoadBytes(zeros + (segment * 16) + lane);

    /// <summary>The scales of a register's rows, from row <paramref name="lane"/> on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Scale<T>(int segment, int lane) where T : unmanaged, IRegister<T>
    {
        if (scaleType == TileScales.BFloat16) return T.LoadBFloat16((ushort*)scales + (segment * 16) + lane);
        return scaleType == TileScales.Float32 ? T.Load((float*)scales + (segment * 16) + lane) : T.Broadcast(1);
    }

    /// <summary>2^23 + zero point, for the 16 rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Offset<T>(int segment) where T : unmanaged, IVector16<T>
    {
        return zeros is null ? T.Broadcast(offset) : T.Or(T.LoadBytes(zeros + (segment * 16)), T.Broadcast(8388608f));
    }

    /// <summary>total + scale · sum, for the 16 rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Scaled<T>(int segment, T sum, T total) where T : unmanaged, IVector16<T>
    {
        if (scaleType == TileScales.BFloat16) return T.Fma(sum, T.LoadBFloat16((ushort*)scales + (segment * 16)), total);
        if (scaleType == TileScales.Float32) return T.Fma(sum, T.Load((float*)scales + (segment * 16)), total);
        return total + sum;
    }
}
