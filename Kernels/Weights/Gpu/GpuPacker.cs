using ILGPU;
using ILGPU.Runtime;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights.Tiles;

namespace Quilt.Kernels.Weights;

/// <summary>Turns CPU tiles into GPU tiles, a batch at a time: the threads pack, then the batch goes over.</summary>
internal sealed class GpuPacker<T, TFormat>(TiledWeight<TFormat> from, GpuLayout layout, int scaleWords) where T : struct, IGpuFormat where TFormat : struct, ITileFormat
{
    private const long BatchBytes = 32L << 20;
    private readonly int tiles = (from.Rows + 15) / 16;
    private readonly int tileWords = layout.Chunks * 32;
    private readonly int tileScales = layout.Segments * 8;
    private Words4[] words = [];
    private uint[] scales = [];
    private uint[] zeros = [];
    private int first;

    public void Run(GpuDevice device, ArrayView<Words4> toWords, ArrayView<uint> toScales, ArrayView<uint> toZeros)
    {
        var total = from.Experts * tiles;
        var batch = (int)Math.Clamp(BatchBytes / Math.Max(1, tileWords * 16L), 1, Math.Max(1, total));
        words = new Words4[Math.Max(1, batch * tileWords)];
        scales = new uint[Math.Max(1, batch * tileScales * scaleWords)];
        zeros = new uint[Math.Max(1, batch * tileScales)];
        using var stream = device.Accelerator.CreateStream();
        for (first = 0; first < total && tileWords > 0; first += batch)
        {
            var count = Math.Min(batch, total - first);
            Array.Clear(words);
            Array.Clear(scales);
            Array.Clear(zeros);
            var job = new Job(this);
            device.Host.Pool.Run(count, ref job);
            Send(stream, toWords, words, tileWords, count);
            if (from.ScaleType != TileScales.None) Send(stream, toScales, scales, tileScales * scaleWords, count);
            if (from.HasZeroPoints) Send(stream, toZeros, zeros, tileScales, count);
            stream.Synchronize();
        }
    }

    private void Send<TWord>(AcceleratorStream stream, ArrayView<TWord> to, TWord[] batch, int perTile, int count) where TWord : unmanaged
    {
        if (perTile > 0) to.SubView((long)first * perTile, (long)count * perTile).CopyFromCPU(stream, ref batch[0], (long)count * perTile);
    }

    private void Tile(int index)
    {
        var (expert, tile) = ((first + index) / tiles, (first + index) % tiles);
        var codes = new uint[from.Columns];
        var rowScales = new float[layout.Segments];
        var rowZeros = new byte[layout.Segments];
        for (var row = 16 * tile; row < Math.Min(from.Rows, (16 * tile) + 16); row++)
        {
            from.GetRow(expert, row, codes, rowScales, rowZeros);
            var (pair, half) = (row & 7, (row >> 3) & 1);
            for (var place = 0; place < layout.Places; place++)
            {
                if (layout.Order[place] < 0) continue;
                var at = GpuPlace.Of<T>(place);
                words[(index * tileWords) + (at.Chunk * 32) + (pair * 4) + at.Lane].Or(T.Word(at.Step, at.I, half), codes[layout.Order[place]] << T.Shift(at.Step, at.I, half));
            }
            for (var s = 0; s < layout.Segments; s++)
            {
                var bits = BitConverter.SingleToUInt32Bits(rowScales[s]);
                var at = (index * tileScales) + (8 * s) + pair;
                if (scaleWords == 1) scales[at] |= (bits >> 16) << (16 * half);
                else scales[(2 * at) + half] = bits;
                zeros[at] |= (uint)rowZeros[s] << (16 * half);
            }
        }
    }

    private readonly struct Job(GpuPacker<T, TFormat> packer) : IJob
    {
        public void Execute(int item) => packer.Tile(item);
    }
}

/// <summary>Where a column's code lies.</summary>
/// <param name="Chunk">Chunk of the tile.</param>
/// <param name="Step">Step of the chunk.</param>
/// <param name="Lane">t: which of the four lanes of its row.</param>
/// <param name="I">Which of that lane's columns of the step.</param>
internal readonly record struct GpuPlace(int Chunk, int Step, int Lane, int I)
{
    public static GpuPlace Of<T>(int place) where T : struct, IGpuFormat
    {
        var (chunk, column) = Math.DivRem(place, 256 / T.Bits);
        return T.Bits == 32
            ? new GpuPlace(chunk, 0, column >> 1, column & 1)
            : new GpuPlace(chunk, column >> 4, (column & 7) >> 1, (column & 1) + (2 * ((column & 15) >> 3)));
    }
}
