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

    /// <summary>Eight nibbles into the low halves of eight bytes.</summary>
    private static ulong Spread(uint nibbles)
    {
        ulong x = nibbles;
        x = (x | (x << 16)) & 0x0000FFFF_0000FFFF;
        x = (x | (x << 8)) & 0x00FF00FF_00FF00FF;
        return (x | (x << 4)) & 0x0F0F0F0F_0F0F0F0F;
    }
}
