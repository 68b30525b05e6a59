using ILGPU;
using ILGPU.Runtime;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights.Tiles;

namespace Quilt.Kernels.Weights;

/// <summary>Turns CPU tiles into GPU tiles, a batch at a time: the threads pack one while the one before goes over. Beside the weight the host holds two batches.</summary>
internal sealed class GpuPacker<T, TFormat>(TiledWeight<TFormat> from, GpuLayout layout, int scaleWords) where T : struct, IGpuFormat where TFormat : struct, ITileFormat
{
    private readonly int tiles = (from.Rows + 15) / 16;
    private readonly int tileWords = layout.Chunks * 32;
    private readonly int tileScales = layout.Segments * 8;

    /// <summary>[half of the tile's rows][places of a CPU tile] where a code goes; it is the same for all tiles.</summary>
    private readonly Move[][] moves = [MovesOf(from.Layout, layout, half: 0), MovesOf(from.Layout, layout, half: 1)];

    public void Run(GpuDevice device, ArrayView<Words4> toWords, ArrayView<uint> toScales, ArrayView<uint> toZeros)
    {
        var total = from.Experts * tiles;
        if (total == 0 || tileWords == 0) return;
        var count = (int)Math.Clamp(PackedBatch.MostBytes / (tileWords * 16L), 1, total);
        using var one = new PackedBatch(device, (long)count * tileWords, (long)count * tileScales * scaleWords, (long)count * tileScales);
        using var other = new PackedBatch(device, (long)count * tileWords, (long)count * tileScales * scaleWords, (long)count * tileScales);
        for (var (first, batch, next) = (0, one, other); first < total; first += count, (batch, next) = (next, batch))
        {
            batch.Clear();
            var job = new Job(this, batch, first);
            var filled = Math.Min(count, total - first);
            device.Host.Pool.Run(filled, ref job);
            batch.Words.Send(batch.Queue, 0, (long)filled * tileWords, toWords.SubView((long)first * tileWords, (long)filled * tileWords));
            if (from.ScaleType != TileScales.None) Send(batch.Queue, batch.Scales, toScales, first, filled, tileScales * scaleWords);
            if (from.HasZeroPoints) Send(batch.Queue, batch.Zeros, toZeros, first, filled, tileScales);
        }
        one.Queue.Synchronize();
        other.Queue.Synchronize();
    }

    private static void Send(AcceleratorStream queue, HostMemory batch, ArrayView<uint> to, int first, int count, int perTile) =>
        batch.Send(queue, 0, (long)count * perTile, to.SubView((long)first * perTile, (long)count * perTile));

    private unsafe void Pack(PackedBatch batch, int first, int index)
    {
        var (expert, tile) = Math.DivRem(first + index, tiles);
        var words = (uint*)batch.Words.Data + ((long)index * tileWords * 4);
        var scales = (uint*)batch.Scales.Data + ((long)index * tileScales * scaleWords);
        var zeros = (uint*)batch.Zeros.Data + ((long)index * tileScales);
        for (var row = 16 * tile; row < Math.Min(from.Rows, (16 * tile) + 16); row++)
        {
            var (pair, half) = (row & 7, (row >> 3) & 1);
            // A row's codes lie in the four lanes of its pair, 16 words.
            Codes(from.RowWords(expert, row, out var stride), stride, moves[half], words + (16 * pair));
            for (var s = 0; s < layout.Segments; s++)
            {
                var (scale, zero) = from.ScaleOf(expert, row, s);
                var (bits, at) = (BitConverter.SingleToUInt32Bits(scale), (8 * s) + pair);
                if (scaleWords == 1) scales[at] |= (bits >> 16) << (16 * half);
                else scales[(2 * at) + half] = bits;
                zeros[at] |= (uint)zero << (16 * half);
            }
        }
    }

    private static unsafe void Codes(uint* words, int stride, Move[] moves, uint* to)
    {
        var mask = TFormat.PerWord == 1 ? uint.MaxValue : (1u << (32 / TFormat.PerWord)) - 1;
        fixed (Move* first = moves)
        {
            var move = first;
            for (var end = first + moves.Length; move < end; words += stride)
            {
                var word = *words;
                for (var n = 0; n < TFormat.PerWord; n++, move++)
                {
                    if (move->To >= 0) to[move->To] |= ((word >> (n * (32 / TFormat.PerWord))) & mask) << move->Shift;
                }
            }
        }
    }

    private static Move[] MovesOf(TileLayout tile, GpuLayout layout, int half)
    {
        var placeOf = new int[tile.Columns];
        for (var place = 0; place < layout.Places; place++)
        {
            if (layout.Order[place] >= 0) placeOf[layout.Order[place]] = place;
        }
        var moves = new Move[tile.Places];
        var (start, move) = (0, 0);
        foreach (var words in tile.SegmentWords)
        {
            for (var w = 0; w < words; w++)
            {
                for (var n = 0; n < TFormat.PerWord; n++)
                {
                    var column = tile.Order[start + TFormat.WordColumn(w) + TFormat.CodeColumn(n)];
                    moves[move++] = column < 0 ? new Move(-1, 0) : MoveTo(GpuPlace.Of<T>(placeOf[column]), half);
                }
            }
            start += words * TFormat.PerWord;
        }
        return moves;
    }

    private static Move MoveTo(GpuPlace at, int half) => new((((at.Chunk * 32) + at.Lane) * 4) + T.Word(at.Step, at.I, half), T.Shift(at.Step, at.I, half));

    /// <summary>Where a code of a row goes.</summary>
    /// <param name="To">The word, counted from the first of its row's four lanes; −1: it is padding.</param>
    /// <param name="Shift">The code's lowest bit there.</param>
    private readonly record struct Move(int To, int Shift);

    private readonly struct Job(GpuPacker<T, TFormat> packer, PackedBatch batch, int first) : IJob
    {
        public void Execute(int item) => packer.Pack(batch, first, item);
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
