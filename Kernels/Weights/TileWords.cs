using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Quilt.Kernels.Weights.Tiles;

namespace Quilt.Kernels.Weights;

/// <summary>
/// Moves rows of words from a file's order into a tile, where the words of a row lie 16 apart: word w of row r goes to place 16·w + r.
/// </summary>
internal static unsafe class TileWords
{
    private const int Rows = 16;

    /// <summary>
    /// All 16 rows of a tile, four words of four rows at a time, so that whole cache lines are written one after another.
    /// <see cref="PlaceRow"/> is the definition.
    /// </summary>
    /// <param name="from">The rows, one after another.</param>
    /// <param name="rowBytes">Bytes from one row to the next.</param>
    /// <param name="tile">[words, 16].</param>
    /// <param name="words">Words of a row.</param>
    public static void PlaceTile<TFormat>(byte* from, int rowBytes, uint* tile, int words) where TFormat : struct, ITileFormat
    {
        var whole = Vector128.IsHardwareAccelerated ? words & ~3 : 0;
        for (var w = 0; w < whole; w += 4)
        {
            for (var group = 0; group < Rows; group += 4)
            {
                var row = from + ((long)group * rowBytes) + (w * sizeof(uint));
                var (a, b, c, d) = WordSquare.Transpose(Load<TFormat>(row), Load<TFormat>(row + rowBytes), Load<TFormat>(row + (2L * rowBytes)),
                    Load<TFormat>(row + (3L * rowBytes)));
                var to = tile + (w * Rows) + group;
                a.Store(to);
                b.Store(to + Rows);
                c.Store(to + (2 * Rows));
                d.Store(to + (3 * Rows));
            }
        }
        if (whole == words) return;
        for (var r = 0; r < Rows; r++)
        {
            var rest = new ReadOnlySpan<uint>(from + ((long)r * rowBytes) + (whole * sizeof(uint)), words - whole);
            PlaceRow<TFormat>(rest, tile + (whole * Rows) + r);
        }
    }

    /// <summary>One row of a weight that has its columns in their own order.</summary>
    public static void Place<TFormat>(ReadOnlySpan<uint> words, TiledWeight<TFormat> weight, int expert, int row)
        where TFormat : struct, ITileFormat => PlaceRow<TFormat>(words, weight.RowWords(expert, row, out _));

    /// <summary>One row, whose first word belongs at <paramref name="to"/>.</summary>
    public static void PlaceRow<TFormat>(ReadOnlySpan<uint> words, uint* to) where TFormat : struct, ITileFormat
    {
        if (TFormat.PerWord == 8)
        {
            PlaceNibbles(words, to);
            return;
        }
        foreach (var word in words)
        {
            *to = word;
            to += Rows;
        }
    }

    /// <summary>A row's codes of 4, 8, 16 or 32 bits, lowest bits first, one number each.</summary>
    public static void Unpack(ReadOnlySpan<byte> line, Span<uint> codes, int bits)
    {
        switch (bits)
        {
            case 4:
                for (var k = 0; k < codes.Length; k++) codes[k] = (uint)(line[k / 2] >> (k % 2 * 4)) & 15;
                break;
            case 8:
                for (var k = 0; k < codes.Length; k++) codes[k] = line[k];
                break;
            case 16:
                for (var k = 0; k < codes.Length; k++) codes[k] = BitConverter.ToUInt16(line[(2 * k)..]);
                break;
            default:
                MemoryMarshal.Cast<byte, uint>(line)[..codes.Length].CopyTo(codes);
                break;
        }
    }

    // Four words of a row as the tile has them.
    private static Vector128<uint> Load<TFormat>(byte* row) where TFormat : struct, ITileFormat
    {
        var words = Vector128.Load(row);
        if (TFormat.PerWord != 8) return words.AsUInt32();
        // Byte k holds columns 2k and 2k + 1. Side by side in bytes: columns 0..15, and 16..31, which become the high nibbles.
        var even = words & Vector128.Create((byte)15);
        var odd = (words.AsUInt16() >>> 4).AsByte() & Vector128.Create((byte)15);
        var (first, second) = WordSquare.Interleave(even, odd);
        return first.AsUInt32() | (second.AsUInt32() << 4);
    }

    /// <summary>
    /// Four words of eight nibbles in the order of columns become four words in which byte i of word j holds column 4j + i (low nibble) and 16 + 4j +
    /// i (high nibble).
    /// </summary>
    private static void PlaceNibbles(ReadOnlySpan<uint> words, uint* to)
    {
        for (var w = 0; w < words.Length; w += 4)
        {
            var first = Spread(words[w]) | (Spread(words[w + 2]) << 4);          // columns 0..7 and 16..23
            var second = Spread(words[w + 1]) | (Spread(words[w + 3]) << 4);     // columns 8..15 and 24..31
            to[0] = (uint)first;
            to[Rows] = (uint)(first >> 32);
            to[2 * Rows] = (uint)second;
            to[3 * Rows] = (uint)(second >> 32);
            to += 4 * Rows;
        }
    }

    /// <summary>Eight nibbles into the low halves of eight bytes.</summary>
    private static ulong Spread(uint nibbles)
    {
        ulong x = nibbles;
        x = (x | (x << 16)) & 0x0000FFFF_0000FFFF;
        x = (x | (x << 8)) & 0x00FF00FF_00FF00FF;
        return (x | (x << 4)) & 0x0F0F0F0F_0F0F0F0F;
    }
}
