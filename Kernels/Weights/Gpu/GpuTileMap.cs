using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Quilt.Kernels.Weights.Tiles;

namespace Quilt.Kernels.Weights;

/// <summary>
/// The way of every code from a CPU tile of one layout to a GPU tile of another, made once for a weight. In a CPU tile word r of sixteen belongs to
/// row r; in a chunk of a GPU tile lane 4 · g + t has four words of rows g and g + 8. So eight lanes, g = 0 to 7, are packed at once: each code of
/// their words is a load of eight words (rows 0 to 7, or 8 to 15), shifts and a mask. Where it comes from is counted from the chunk's own first word,
/// so that the chunks of an ordinary layout share one list of moves.
/// </summary>
internal sealed unsafe class GpuTileMap<T, TFormat> where T : struct, IGpuFormat where TFormat : struct, ITileFormat
{
    private const int WordsALane = 4;
    private const int Lanes = 8;
    private readonly Move[] moves;         // [lists, t, word of the lane, codes of the word]
    private readonly Chunk[] chunks;

    public GpuTileMap(TileLayout from, GpuLayout to)
    {
        var sources = Sources(from);
        var lists = new List<Move>();
        chunks = new Chunk[to.Chunks];
        var (last, first) = (Array.Empty<Move>(), 0);
        for (var c = 0; c < chunks.Length; c++)
        {
            var columns = to.Order.AsSpan(c * ChunkColumns, ChunkColumns);
            var start = int.MaxValue;
            foreach (var column in columns)
            {
                if (column >= 0) start = Math.Min(start, sources[column].Word);
            }
            if (start == int.MaxValue) start = 0;
            var list = Moves(columns, sources, start);
            if (!list.AsSpan().SequenceEqual(last))
            {
                (last, first) = (list, lists.Count);
                lists.AddRange(list);
            }
            chunks[c] = new(start * 16, first);
        }
        moves = [.. lists];
    }

    private static int ChunkColumns => 256 / T.Bits;

    /// <summary>Codes of a word, of both its rows.</summary>
    private static int Codes => 32 / T.Bits;

    /// <summary>
    /// Packs one tile: <paramref name="from"/> has its words, <paramref name="to"/> room for its chunks of 128 words, all of which are written.
    /// </summary>
    public void Pack(uint* from, uint* to)
    {
        var pairs = stackalloc ulong[2 * Lanes];
        fixed (Move* all = moves)
        {
            foreach (var chunk in chunks)
            {
                var move = all + chunk.FirstMove;
                for (var t = 0; t < 4; t++, move += WordsALane * Codes)
                {
                    Interleave(Word(from + chunk.From, move), Word(from + chunk.From, move + Codes), pairs);
                    Interleave(Word(from + chunk.From, move + (2 * Codes)), Word(from + chunk.From, move + (3 * Codes)), pairs + Lanes);
                    var lane = (ulong*)(to + (WordsALane * t));
                    for (var g = 0; g < Lanes; g++, lane += 2 * WordsALane)
                    {
                        lane[0] = pairs[g];
                        lane[1] = pairs[Lanes + g];
                    }
                }
                to += 128;
            }
        }
    }

    /// <summary>One word of eight lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Word(uint* from, Move* move)
    {
        var word = Vector256<uint>.Zero;
        for (var n = 0; n < Codes; n++)
            word |= ((Vector256.Load(from + move[n].From) >> move[n].Right) << move[n].Left) & Vector256.Create(move[n].Mask);
        return word;
    }

    /// <summary>a0 b0 a1 b1 …</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Interleave(Vector256<uint> a, Vector256<uint> b, ulong* to)
    {
        (Vector256.WidenLower(a) | (Vector256.WidenLower(b) << 32)).Store(to);
        (Vector256.WidenUpper(a) | (Vector256.WidenUpper(b) << 32)).Store(to + 4);
    }

    private static Move[] Moves(ReadOnlySpan<int> columns, Source[] sources, int start)
    {
        var list = new List<Move>();
        var mask = T.Bits == 32 ? uint.MaxValue : (1u << (T.Bits & 31)) - 1;
        for (var t = 0; t < 4; t++)
        {
            for (var word = 0; word < WordsALane; word++)
            {
                for (var code = 0; code < T.Steps * T.PerStep * 2; code++)
                {
                    var (step, i, half) = (code / (T.PerStep * 2), code / 2 % T.PerStep, code % 2);
                    if (T.Word(step, i, half) != word) continue;
                    var column = columns[(16 * step) + (2 * t) + (i & 1) + (8 * (i >> 1))];
                    var left = T.Shift(step, i, half);
                    // Padding: a mask of nothing.
                    if (column < 0) list.Add(default);
                    else list.Add(new(((sources[column].Word - start) * 16) + (8 * half), sources[column].Shift, left, mask << left));
                }
            }
        }
        return [.. list];
    }

    /// <summary>Where each column's code lies in a row of a CPU tile.</summary>
    private static Source[] Sources(TileLayout layout)
    {
        var sources = new Source[layout.Columns];
        var (word, place) = (0, 0);
        foreach (var words in layout.SegmentWords)
        {
            for (var w = 0; w < words; w++, word++)
            {
                for (var n = 0; n < TFormat.PerWord; n++)
                {
                    var column = layout.Order[place + TFormat.WordColumn(w) + TFormat.CodeColumn(n)];
                    if (column >= 0) sources[column] = new(word, n * (32 / TFormat.PerWord));
                }
            }
            place += words * TFormat.PerWord;
        }
        return sources;
    }

    /// <summary>
    /// One code of a word: ((word <paramref name="From"/> of the tile &gt;&gt; <paramref name="Right"/>) &lt;&lt; <paramref name="Left"/>) &amp;
    /// <paramref name="Mask"/>.
    /// </summary>
    private readonly record struct Move(int From, int Right, int Left, uint Mask);

    /// <summary>Where a chunk's words begin in a CPU tile, and its list in <see cref="moves"/>.</summary>
    private readonly record struct Chunk(int From, int FirstMove);

    /// <summary>Word of a row and lowest bit in it.</summary>
    private readonly record struct Source(int Word, int Shift);
}
