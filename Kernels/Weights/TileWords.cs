using System.Runtime.InteropServices;
using Quilt.Kernels.Weights.Tiles;

namespace Quilt.Kernels.Weights;

/// <summary>Moves the words of a row from a file's order into a tile, where the row's words lie 16 apart.</summary>
internal static unsafe class TileWords
{
    /// <summary>Words whose codes are in the order of columns in both.</summary>
    public static void Place<TFormat>(ReadOnlySpan<uint> words, TiledWeight<TFormat> weight, int expert, int row) where TFormat : struct, ITileFormat
    {
        var to = weight.RowWords(expert, row, out var stride);
        foreach (var word in words)
        {
            *to = word;
            to += stride;
        }
    }

    /// <summary>
    /// Four words of eight nibbles in the order of columns become four words in which byte i of word j holds column 4j + i (low nibble) and 16 + 4j +
    /// i (high nibble).
    /// </summary>
    public static void PlaceNibbles<TFormat>(ReadOnlySpan<uint> words, TiledWeight<TFormat> weight, int expert, int row)
        where TFormat : struct, ITileFormat
    {
        var to = weight.RowWords(expert, row, out var stride);
        for (var w = 0; w < words.Length; w += 4)
        {
            var first = Spread(words[w]) | (Spread(words[w + 2]) << 4);          // columns 0..7 and 16..23
            var second = Spread(words[w + 1]) | (Spread(words[w + 3]) << 4);     // columns 8..15 and 24..31
            to[0] = (uint)first;
            to[stride] = (uint)(first >> 32);
            to[2 * stride] = (uint)second;
            to[3 * stride] = (uint)(second >> 32);
            to += 4 * stride;
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

    /// <summary>Eight nibbles into the low halves of eight bytes.</summary>
    private static ulong Spread(uint nibbles)
    {
        ulong x = nibbles;
        x = (x | (x << 16)) & 0x0000FFFF_0000FFFF;
        x = (x | (x << 8)) & 0x00FF00FF_00FF00FF;
        return (x | (x << 4)) & 0x0F0F0F0F_0F0F0F0F;
    }
}
