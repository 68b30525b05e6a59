using ILGPU;
using ILGPU.Runtime;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Kernels.Weights.Tiles;

namespace Quilt.Kernels.Weights;

/// <summary>A weight in a GPU's memory, packed once from a tiled one and never changed; 4-bit codes stay 4 bits.</summary>
internal abstract class GpuWeight(GpuDevice device, string name, int experts, int rows, int columns, string format)
    : Weight(name, experts, rows, columns)
{
    public override string Format => format;

    /// <summary>Where it lies.</summary>
    public GpuDevice Device => device;

    /// <summary>y[t] = row tokens[t] of the first matrix.</summary>
    public abstract void Embed(GpuStream gpu, Ints tokens, Matrix into);

    /// <summary>The product of a plan's pairs with one expert alone, whose matrix this weight's only one is.</summary>
    public abstract void MatMulExpert(OpStream ops, Matrix x, ExpertPlan plan, ExpertRows rows, int expert, Matrix y);
}

/// <summary>What a weight in a GPU's memory is called and how large it is.</summary>
internal readonly record struct GpuShape(string Name, int Experts, int Rows, int Columns, string Format);

/// <summary>
/// Tiles of 16 rows as <see cref="IGpuFormat"/> describes them: words [experts, tiles, chunks, 32 lanes] of 16 bytes; scales [experts, tiles,
/// segments, 8] words with two bfloat16 (rows g in the low half, g + 8), or two words with float32; zero points, where there are any, as scales in
/// two 16-bit integers.
/// </summary>
internal sealed class GpuWeight<T> : GpuWeight where T : struct, IGpuFormat
{
    private readonly MemoryBuffer1D<Words4, Stride1D.Dense> words;
    private readonly MemoryBuffer1D<uint, Stride1D.Dense> scales;
    private readonly MemoryBuffer1D<uint, Stride1D.Dense> zeros;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> order;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> segments;

    /// <summary>Memory for a weight, not filled.</summary>
    internal GpuWeight(GpuDevice device, GpuShape shape, GpuLayout layout, TileScales scaleType, bool zeroPoints, float zero)
        : base(device, shape.Name, shape.Experts, shape.Rows, shape.Columns, shape.Format)
    {
        (Layout, Zero, HasZeroPoints) = (layout, zero, zeroPoints);
        ScaleType = scaleType;
        var accelerator = device.Accelerator;
        var tiles = (long)Experts * Tiles;
        words = accelerator.Allocate1D<Words4>(Math.Max(1, tiles * layout.Chunks * 32));
        scales = accelerator.Allocate1D<uint>(IsScaled ? tiles * layout.Segments * 8 * ScaleWords : 1);
        zeros = accelerator.Allocate1D<uint>(zeroPoints ? tiles * layout.Segments * 8 : 1);
        order = accelerator.Allocate1D(layout.Order.Length > 0 ? layout.Order : [0]);
        segments = accelerator.Allocate1D(layout.SegmentOfStep.Length > 0 ? layout.SegmentOfStep : [0]);
    }

    /// <summary>Where columns lie.</summary>
    public GpuLayout Layout { get; }

    /// <summary>Tiles of one matrix.</summary>
    public int Tiles => (Rows + 15) / 16;

    /// <summary>Words of two scales: 1 where they are bfloat16, 2 where float32.</summary>
    public int ScaleWords => ScaleType == TileScales.BFloat16 ? 1 : 2;

    /// <summary>The zero of all codes, where they have no zero points.</summary>
    public float Zero { get; }

    public bool HasZeroPoints { get; }

    /// <summary>How scales are held.</summary>
    public TileScales ScaleType { get; }

    public bool IsScaled => ScaleType != TileScales.None;

    public ArrayView<Words4> Words => words.View.BaseView;

    public ArrayView<uint> Scales => scales.View.BaseView;

    public ArrayView<uint> Zeros => zeros.View.BaseView;

    public ArrayView<int> Order => order.View.BaseView;

    public ArrayView<int> SegmentOfStep => segments.View.BaseView;

    public override bool SuitsTensorCores =>
        T.Loads > 0 && Layout.Places > 0 && Layout.Places % 64 == 0 && Layout.SegmentShift >= (T.Bits == 8 ? 2 : 1);

    public override long Bytes => words.LengthInBytes + scales.LengthInBytes + zeros.LengthInBytes + order.LengthInBytes + segments.LengthInBytes;

    /// <summary>Packs a tiled weight into the GPU's memory, some tiles at a time; beside it the host holds two batches of them.</summary>
    public static GpuWeight<T> Pack<TFormat>(GpuDevice device, TiledWeight<TFormat> from) where TFormat : struct, ITileFormat
    {
        var layout = new GpuLayout(from.Layout, 256 / T.Bits, TFormat.PerWord);
        var packed = new GpuWeight<T>(device, new(from.Name, from.Experts, from.Rows, from.Columns, from.Format), layout, from.ScaleType,
            from.HasZeroPoints, from.ZeroCode);
        try
        {
            new GpuPacker<T, TFormat>(from, packed.Layout, packed.ScaleWords).Run(device, packed.Words, packed.Scales, packed.Zeros);
            return packed;
        }
        catch
        {
            packed.Dispose();
            throw;
        }
    }

    public override void MatMul(OpStream ops, Matrix x, Matrix y)
    {
        if (x.Rows > 0) GpuMatMul<T>.Run(ops.Gpu!, this, x, plan: null, ExpertRows.Tokens, expert: -1, y);
    }

    public override void MatMulExperts(OpStream ops, Matrix x, ExpertPlan plan, ExpertRows rows, Matrix y)
    {
        if (plan.Pairs > 0) GpuMatMul<T>.Run(ops.Gpu!, this, x, plan, rows, expert: -1, y);
    }

    public override void MatMulExpert(OpStream ops, Matrix x, ExpertPlan plan, ExpertRows rows, int expert, Matrix y)
    {
        if (plan.Pairs > 0) GpuMatMul<T>.Run(ops.Gpu!, this, x, plan, rows, expert, y);
    }

    public override bool TryMatMulGated(OpStream ops, Weight up, Matrix x, ExpertPlan plan, Matrix into) =>
        up is GpuWeight<T> same && plan.Pairs > 0 && GpuMatMul<T>.TryRunGated(ops.Gpu!, this, same, x, plan, into);

    public override bool TryMatMulThree(OpStream ops, Matrix x, Matrix y, Weight second, Matrix ofSecond, Weight third, Matrix ofThird) =>
        second is GpuWeight<T> b && third is GpuWeight<T> c && x.Rows > 0
            && GpuMatMul<T>.TryRunThree(ops.Gpu!, x, (this, y), (b, ofSecond), (c, ofThird));

    public override void Embed(GpuStream gpu, Ints tokens, Matrix into) => GpuRows<T>.Run(gpu, this, expert: 0, tokens, into);

    /// <summary>For tests and tools: a round trip a row.</summary>
    public override void Dequantize(int expert, int row, Span<float> into)
    {
        using var stream = new GpuStream(Device);
        var matrix = stream.Scratch.Take(1, Columns);
        GpuRows<T>.Run(stream, this, expert, new int[] { row }, matrix);
        stream.View(matrix).CopyToCPU(stream.Queue, ref into[0], Columns);
        stream.Queue.Synchronize();
    }

    public override void Dispose()
    {
        words.Dispose();
        scales.Dispose();
        zeros.Dispose();
        order.Dispose();
        segments.Dispose();
    }
}
