using ILGPU;
using ILGPU.Runtime;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights.Tiles;

namespace Quilt.Kernels.Weights;

/// <summary>
/// Turns CPU tiles into GPU tiles, a batch at a time. Two batches take turns: while one goes over on one thread, the others pack the next.
/// </summary>
internal sealed unsafe class GpuPacker<T, TFormat>(TiledWeight<TFormat> from, GpuLayout layout, int scaleWords) where T
    : struct, IGpuFormat where TFormat : struct, ITileFormat
{
    private readonly GpuTileMap<T, TFormat> map = new(from.Layout, layout);
    private readonly TileView tiles = from.View;
    private readonly int tileWords = layout.Chunks * 32;
    private readonly int tileScales = layout.Segments * 8;
    private readonly int scaleWords = scaleWords;

    public void Run(GpuDevice device, ArrayView<Words4> toWords, ArrayView<uint> toScales, ArrayView<uint> toZeros)
    {
        var total = from.Experts * tiles.Tiles;
        if (total == 0 || tileWords == 0) return;
        var most = (int)Math.Clamp(GpuBatch.Bytes / (tileWords * 16L), 1, total);
        using var stream = device.Accelerator.CreateStream();
        using GpuBatch one = Batch(most), other = Batch(most);
        var (packed, next) = (one, other);
        do
        {
            next.First = packed.First + packed.Count;
            next.Count = Math.Min(most, total - next.First);
            var job = new Job(this, packed, next, device, stream, toWords, toScales, toZeros);
            device.Host.Pool.Run(1 + next.Count, ref job);
            (packed, next) = (next, packed);
        }
        while (packed.Count > 0);
    }

    private GpuBatch Batch(int count) => new(
        (long)count * tileWords * 16, from.ScaleType == TileScales.None ? 0 : (long)count * tileScales * scaleWords * 4,
            from.HasZeroPoints ? (long)count * tileScales * 4 : 0);

    private void Pack(GpuBatch batch, int index)
    {
        var tile = batch.First + index;
        map.Pack((uint*)tiles.Codes + ((long)tile * from.Layout.Words * 16), (uint*)batch.Words.Data + ((long)index * tileWords * 4));
        var (at, to) = ((long)tile * layout.Segments * 16, (long)index * tileScales);
        if (from.ScaleType == TileScales.BFloat16) PackHalves((ushort*)tiles.Scales + at, (uint*)batch.Scales.Data + to);
        if (from.ScaleType == TileScales.Float32) PackFloats((uint*)tiles.Scales + at, (uint*)batch.Scales.Data + (2 * to));
        if (from.HasZeroPoints) PackZeros(tiles.Zeros + at, (uint*)batch.Zeros.Data + to);
    }

    // [segments, 16] becomes [segments, 8] pairs: row g in the low half, row g + 8 in the high one.
    private void PackHalves(ushort* scales, uint* to)
    {
        for (var s = 0; s < layout.Segments; s++, scales += 16, to += 8)
        {
            for (var g = 0; g < 8; g++) to[g] = scales[g] | ((uint)scales[g + 8] << 16);
        }
    }

    private void PackFloats(uint* scales, uint* to)
    {
        for (var s = 0; s < layout.Segments; s++, scales += 16, to += 16)
        {
            for (var g = 0; g < 8; g++) (to[2 * g], to[(2 * g) + 1]) = (scales[g], scales[g + 8]);
        }
    }

    private void PackZeros(byte* zeros, uint* to)
    {
        for (var s = 0; s < layout.Segments; s++, zeros += 16, to += 8)
        {
            for (var g = 0; g < 8; g++) to[g] = zeros[g] | ((uint)zeros[g + 8] << 16);
        }
    }

    /// <summary>Item 0 sends the batch that was packed before; each of the others packs a tile of the next.</summary>
    private readonly struct Job(
        GpuPacker<T, TFormat> packer, GpuBatch packed, GpuBatch next, GpuDevice device, AcceleratorStream stream, ArrayView<Words4> toWords,
            ArrayView<uint> toScales, ArrayView<uint> toZeros) : IJob
    {
        public void Execute(int item)
        {
            if (item > 0)
            {
                packer.Pack(next, item - 1);
                return;
            }
            if (packed.Count == 0) return;
            device.Accelerator.Bind();
            Send(packed.Words, toWords, packer.tileWords);
            if (packed.Scales.Bytes > 0) Send(packed.Scales, toScales, packer.tileScales * packer.scaleWords);
            if (packed.Zeros.Bytes > 0) Send(packed.Zeros, toZeros, packer.tileScales);
            stream.Synchronize();
        }

        private void Send<TWord>(NativeBuffer batch, ArrayView<TWord> to, int perTile) where TWord : unmanaged
        {
            var count = (long)packed.Count * perTile;
            to.SubView((long)packed.First * perTile, count).CopyFromCPU(stream, ref *(TWord*)batch.Data, count);
        }
    }
}

/// <summary>Tiles on their way to a GPU.</summary>
internal sealed class GpuBatch(long words, long scales, long zeros) : IDisposable
{
    /// <summary>Bytes of a batch's words, unless a single tile has more.</summary>
    public const long Bytes = 8L << 20;

    public NativeBuffer Words { get; } = new(words);

    public NativeBuffer Scales { get; } = new(scales);

    public NativeBuffer Zeros { get; } = new(zeros);

    /// <summary>The first tile, counted over all experts.</summary>
    public int First { get; set; }

    /// <summary>Tiles in it.</summary>
    public int Count { get; set; }

    public void Dispose()
    {
        Words.Dispose();
        Scales.Dispose();
        Zeros.Dispose();
    }
}
