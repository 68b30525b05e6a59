using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Weights.Tiles;

/// <summary>
/// A stack of matrices in tiles of 16 rows. For each expert and tile: the words of its segments one after another, 64 bytes each (16 rows side by
/// side). Beside them, for each expert, tile and segment, 16 scales (bfloat16 or float32) and, where codes have zero points, 16 of those (a byte
/// each). Rows beyond the last are zero.
/// </summary>
internal abstract unsafe class TiledWeight<TFormat>(string name, int experts, int rows, int columns, TileLayout layout, TileScales scales,
    bool zeroPoints, TileMemory? memory)
    : Weight(name, experts, rows, columns)
    where TFormat : struct, ITileFormat
{
    private readonly NativeBuffer codes = memory?.Codes ?? new((long)experts * Tiles(rows) * layout.Words * 64, zeroed: true, hugePages: true);
    private readonly NativeBuffer? scaleData = memory is not null || scales == TileScales.None
        ? memory?.Scales
        : new((long)experts * Tiles(rows) * layout.Segments * 16 * Size(scales), zeroed: true, hugePages: true);
    private readonly NativeBuffer? zeroData = memory is not null || !zeroPoints
        ? memory?.Zeros
        : new((long)experts * Tiles(rows) * layout.Segments * 16, zeroed: true, hugePages: true);

    /// <summary>Where columns lie.</summary>
    public TileLayout Layout { get; } = layout;

    /// <summary>In what type scales are held.</summary>
    public TileScales ScaleType => scales;

    /// <summary>Whether codes have zero points of their own.</summary>
    public bool HasZeroPoints => zeroPoints;

    /// <summary>The zero of all codes, where they have no zero points.</summary>
    public int ZeroCode => Zero;

    /// <summary>What the zero of a code without a zero point of its own is: 2^(bits − 1) for offset binary, 0 for codes that are floats.</summary>
    protected virtual int Zero => 0;

    public override TileMemory Memory => new(codes, scaleData, zeroData);

    /// <summary>Bytes that such a weight has of codes, scales and zero points.</summary>
    public (long Codes, long Scales, long Zeros) Sizes
    {
        get
        {
            var tiles = (long)Experts * Tiles(Rows);
            return (tiles * Layout.Words * 64, scales == TileScales.None ? 0 : tiles * Layout.Segments * 16 * Size(scales),
                zeroPoints ? tiles * Layout.Segments * 16 : 0);
        }
    }

    public override long Bytes => codes.Bytes + (scaleData?.Bytes ?? 0) + (zeroData?.Bytes ?? 0);

    public override void MatMul(OpStream ops, Matrix x, Matrix y)
    {
        using var watch = ops.Watch(this, y.Rows, null);
        if (ops.Device.Isa == Isa.Reference) ReferenceMatMul.Run(this, x, y);
        else Multiply(ops, x, new TileTask(null, ExpertRows.Tokens, new(View, y)));
    }

    public override void MatMulExperts(OpStream ops, Matrix x, ExpertPlan plan, ExpertRows rows, Matrix y)
    {
        using var watch = ops.Watch(this, y.Rows, plan);
        if (ops.Device.Isa == Isa.Reference) ReferenceMatMul.Run(this, x, plan, rows, y);
        else Multiply(ops, x, new TileTask(plan, rows, new(View, y)));
    }

    public override bool TryMatMulGated(OpStream ops, Weight up, Matrix x, ExpertPlan plan, Matrix into)
    {
        if (ops.Device.Isa == Isa.Reference || !LiesAs(up, out var other) || up.Rows != Rows) return false;
        using var watch = ops.Watch(this, into.Rows, plan, up);
        Multiply(ops, x, new TileTask(plan, ExpertRows.Tokens, new(View, into), new(other.View, default), IsGated: true));
        return true;
    }

    public override bool TryMatMulThree(OpStream ops, Matrix x, Matrix y, Weight second, Matrix ofSecond, Weight third, Matrix ofThird)
    {
        if (ops.Device.Isa == Isa.Reference || !LiesAs(second, out var b) || !LiesAs(third, out var c)) return false;
        using var watch = ops.Watch(this, y.Rows, null, second, third);
        Multiply(ops, x, new TileTask(null, ExpertRows.Tokens, new(View, y), new(b.View, ofSecond), new(c.View, ofThird)));
        return true;
    }

    public override void Dequantize(int expert, int row, Span<float> into)
    {
        var tile = ((long)expert * Tiles(Rows)) + (row / 16);
        var words = (uint*)codes.Data + (tile * Layout.Words * 16) + (row % 16);
        var place = 0;
        for (var s = 0; s < Layout.Segments; s++)
        {
            var (scale, offset) = Scale(tile, s, row % 16);
            for (var w = 0; w < Layout.SegmentWords[s]; w++, words += 16)
            {
                for (var n = 0; n < TFormat.PerWord; n++)
                {
                    var column = Layout.Order[place + TFormat.WordColumn(w) + TFormat.CodeColumn(n)];
                    if (column >= 0) into[column] = TFormat.Value(*words, n, offset) * scale;
                }
            }
            place += Layout.SegmentWords[s] * TFormat.PerWord;
        }
    }

    public override void Dispose()
    {
        codes.Dispose();
        scaleData?.Dispose();
        zeroData?.Dispose();
    }

    /// <summary>Multiplies input whose columns are in the order of the weight's places.</summary>
    protected virtual void MultiplyArranged<T, TRegister>(OpStream ops, Matrix x, in TileTask task)
        where T : unmanaged, IVector16<T>
        where TRegister : unmanaged, IRegister<TRegister>
    {
        var half = TileKernel<T, TFormat>.HalfPower;
        var panels = Panels.Of(ops, x, Layout.Visits, half, task.Plan, task.Rows);
        var scaled = task.Plan is null && x.Rows >= Panels.LeastRows ? x : TileMatMul.Scale(ops, x, half);
        TileMatMul.Run<FloatProduct<T, TRegister, TFormat>, T>(ops, Layout, new(Layout, scaled, panels), task);
    }

    /// <summary>Puts one row in its place: its codes as unsigned numbers by column, its scale and zero point by segment.</summary>
    internal void SetRow(int expert, int row, ReadOnlySpan<uint> codeOfColumn, ReadOnlySpan<float> scaleOfSegment, ReadOnlySpan<byte> zeroOfSegment)
    {
        for (var s = 0; s < Layout.Segments; s++)
        {
            SetScale(((long)expert * Tiles(Rows)) + (row / 16), s, row % 16, scaleOfSegment.IsEmpty ? 1 : scaleOfSegment[s],
                zeroOfSegment.IsEmpty ? (byte)0 : zeroOfSegment[s]);
        }
        SetCodes(expert, row, codeOfColumn);
    }

    /// <summary>Puts the codes of one row in their place: unsigned numbers by column.</summary>
    internal void SetCodes(int expert, int row, ReadOnlySpan<uint> codeOfColumn)
    {
        var words = RowWords(expert, row, out _);
        var place = 0;
        for (var s = 0; s < Layout.Segments; s++)
        {
            for (var w = 0; w < Layout.SegmentWords[s]; w++, words += 16)
            {
                var word = 0u;
                for (var n = 0; n < TFormat.PerWord; n++)
                {
                    var column = Layout.Order[place + TFormat.WordColumn(w) + TFormat.CodeColumn(n)];
                    if (column >= 0) word |= codeOfColumn[column] << (n * (32 / TFormat.PerWord));
                }
                *words = word;
            }
            place += Layout.SegmentWords[s] * TFormat.PerWord;
        }
    }

    /// <summary>The words of one row, <paramref name="stride"/> words apart, for loaders that place them themselves.</summary>
    internal uint* RowWords(int expert, int row, out int stride)
    {
        stride = 16;
        return (uint*)codes.Data + ((((long)expert * Tiles(Rows)) + (row / 16)) * Layout.Words * 16) + (row % 16);
    }

    /// <summary>
    /// Sets the scales of 16 rows that begin at a multiple of 16, of a weight without zero points: [16, segments].
    /// </summary>
    internal void SetTileScales(int expert, int row, ReadOnlySpan<float> scaleOfSegment)
    {
        Debug.Assert(row % 16 == 0 && scaleOfSegment.Length == 16 * Layout.Segments && !zeroPoints);
        var place = (((long)expert * Tiles(Rows)) + (row / 16)) * Layout.Segments * 16;
        fixed (float* from = scaleOfSegment)
        {
            if (scales == TileScales.BFloat16) ScaleTile.PlaceHalves((uint*)from, Layout.Segments, (ushort*)scaleData!.Data + place);
            else ScaleTile.PlaceFloats((uint*)from, Layout.Segments, (uint*)scaleData!.Data + place);
        }
    }

    /// <summary>Sets one row's scales, and its zero points less <paramref name="zero"/> where there are any.</summary>
    internal void SetScales(int expert, int row, ReadOnlySpan<float> scaleOfSegment, ReadOnlySpan<sbyte> zeroOfSegment, int zero)
    {
        var place = ((((long)expert * Tiles(Rows)) + (row / 16)) * Layout.Segments * 16) + (row % 16);
        if (scales == TileScales.BFloat16)
        {
            var to = (ushort*)scaleData!.Data + place;
            for (var s = 0; s < scaleOfSegment.Length; s++) to[16 * s] = (ushort)(BitConverter.SingleToUInt32Bits(scaleOfSegment[s]) >> 16);
        }
        if (scales == TileScales.Float32)
        {
            var to = (float*)scaleData!.Data + place;
            for (var s = 0; s < scaleOfSegment.Length; s++) to[16 * s] = scaleOfSegment[s];
        }
        if (zeroData is null) return;
        for (var s = 0; s < scaleOfSegment.Length; s++)
            zeroData.Data[place + (16 * s)] = (byte)((zeroOfSegment.IsEmpty ? 0 : zeroOfSegment[s]) + zero);
    }

    private void Multiply(OpStream ops, Matrix x, in TileTask task)
    {
        var mark = ops.Mark();
        var arranged = TileMatMul.Arrange(ops, Layout, x);
        switch (ops.Device.Isa)
        {
            case Isa.Avx512: MultiplyArranged<Vector16x1, Register512>(ops, arranged, task); break;
            case Isa.AvxVnni: MultiplyArranged<Vector16x2, RegisterVnni>(ops, arranged, task); break;
            case Isa.Avx2: MultiplyArranged<Vector16x2, Register256>(ops, arranged, task); break;
            default: MultiplyArranged<Vector16x4, Register128>(ops, arranged, task); break;
        }
        ops.Release(mark);
    }

    /// <summary>Whether another weight has its columns where this one has them, so that both take an input in the same form.</summary>
    private bool LiesAs(Weight weight, [NotNullWhen(true)] out TiledWeight<TFormat>? other)
    {
        other = weight as TiledWeight<TFormat>;
        return other is not null && Layout.IsIdentity && other.Layout.IsIdentity
            && other.Layout.SegmentWords.AsSpan().SequenceEqual(Layout.SegmentWords);
    }

    private static int Tiles(int rows) => (rows + 15) / 16;

    private static int Size(TileScales scales) => scales == TileScales.BFloat16 ? 2 : 4;

    internal TileView View =>
        new(codes.Data, scaleData is null ? null : scaleData.Data, zeroData is null ? null : zeroData.Data, scales, 8388608f + Zero, Rows);

    private void SetScale(long tile, int segment, int lane, float scale, byte zero)
    {
        var place = (((tile * Layout.Segments) + segment) * 16) + lane;
        if (scales == TileScales.BFloat16) ((ushort*)scaleData!.Data)[place] = (ushort)(BitConverter.SingleToUInt32Bits(scale) >> 16);
        if (scales == TileScales.Float32) ((float*)scaleData!.Data)[place] = scale;
        if (zeroData is not null) zeroData.Data[place] = zero;
    }

    private (float Scale, float Offset) Scale(long tile, int segment, int lane)
    {
        var place = (((tile * Layout.Segments) + segment) * 16) + lane;
        var scale = scales switch
        {
            TileScales.BFloat16 => BitConverter.UInt32BitsToSingle((uint)((ushort*)scaleData!.Data)[place] << 16),
            TileScales.Float32 => ((float*)scaleData!.Data)[place],
            _ => 1f,
        };
        return (scale, 8388608f + (zeroData is null ? Zero : zeroData.Data[place]));
    }
}

/// <summary>In what type the scales of a tiled weight are held.</summary>
internal enum TileScales
{
    /// <summary>Codes are values.</summary>
    None,

    /// <summary>As most checkpoints store them.</summary>
    BFloat16,

    /// <summary>Where bfloat16 would lose bits.</summary>
    Float32,
}
