namespace Quilt.Formats.Numerics;

/// <summary>
/// Signed codes of 1..8 bits in 32-bit words, as the compressed-tensors library packs them. Code q is stored as q + 2^(bits-1), lowest bits first.
/// Two layouts exist where bits do not divide 32: `dense` (0.18.0 and later) lets a code straddle two words; the older one leaves the top bits
/// unused. For 1, 2, 4 and 8 bits both are the same. Weights are packed along columns, zero points along rows.
/// </summary>
internal static class PackedInt
{
    /// <summary>Words that <paramref name="count"/> codes of one line take.</summary>
    public static long Words(int bits, long count, bool dense = false)
    {
        var perWord = 32 / bits;
        return dense ? (long)(((Int128)count * bits + 31) / 32) : count / perWord + (count % perWord == 0 ? 0 : 1);
    }

    /// <summary>[rows, columns] codes to [rows, words].</summary>
    public static int[] Pack(ReadOnlySpan<sbyte> codes, int rows, int columns, int bits, bool dense = false)
    {
        var words = (int)Words(bits, columns, dense);
        var packed = new int[rows * words];
        for (var r = 0; r < rows; r++) PackLine(codes[(r * columns)..], 1, columns, packed.AsSpan(r * words), 1, bits, dense);
        return packed;
    }

    /// <summary>[rows, columns] codes to [words, columns]: each column is a line.</summary>
    public static int[] PackRows(ReadOnlySpan<sbyte> codes, int rows, int columns, int bits, bool dense = false)
    {
        var packed = new int[(int)Words(bits, rows, dense) * columns];
        for (var c = 0; c < columns; c++) PackLine(codes[c..], columns, rows, packed.AsSpan(c), columns, bits, dense);
        return packed;
    }

    /// <summary>[rows, words] back to [rows, columns] codes; what fills the last word is dropped.</summary>
    public static sbyte[] Unpack(ReadOnlySpan<int> packed, int rows, int columns, int bits, bool dense = false)
    {
        var words = (int)Words(bits, columns, dense);
        var codes = new sbyte[rows * columns];
        for (var r = 0; r < rows; r++) UnpackLine(packed[(r * words)..], 1, codes.AsSpan(r * columns), 1, columns, bits, dense);
        return codes;
    }

    /// <summary>[words, columns] back to [rows, columns] codes.</summary>
    public static sbyte[] UnpackRows(ReadOnlySpan<int> packed, int rows, int columns, int bits, bool dense = false)
    {
        var codes = new sbyte[rows * columns];
        for (var c = 0; c < columns; c++) UnpackLine(packed[c..], columns, codes.AsSpan(c), columns, rows, bits, dense);
        return codes;
    }

    /// <summary>One line's codes as they are stored, q + 2^(bits-1).</summary>
    public static void UnpackUnsigned(ReadOnlySpan<int> words, Span<uint> codes, int bits, bool dense = false)
    {
        var mask = (1u << bits) - 1;
        for (var j = 0; j < codes.Length; j++)
        {
            var (word, bit) = Place(j, bits, dense);
            var code = (uint)words[word] >> bit;
            if (bit + bits > 32) code |= (uint)words[word + 1] << (32 - bit);
            codes[j] = code & mask;
        }
    }

    private static void PackLine(ReadOnlySpan<sbyte> codes, int step, int count, Span<int> words, int wordStep, int bits, bool dense)
    {
        var offset = 1 << (bits - 1);
        var mask = (1u << bits) - 1;
        for (var j = 0; j < count; j++)
        {
            var code = (uint)(codes[j * step] + offset) & mask;
            var (word, bit) = Place(j, bits, dense);
            words[word * wordStep] |= (int)(code << bit);
            if (bit + bits > 32) words[(word + 1) * wordStep] |= (int)(code >> (32 - bit));
        }
    }

    private static void UnpackLine(ReadOnlySpan<int> words, int wordStep, Span<sbyte> codes, int step, int count, int bits, bool dense)
    {
        var offset = 1 << (bits - 1);
        var mask = (1u << bits) - 1;
        for (var j = 0; j < count; j++)
        {
            var (word, bit) = Place(j, bits, dense);
            var code = (uint)words[word * wordStep] >> bit;
            if (bit + bits > 32) code |= (uint)words[(word + 1) * wordStep] << (32 - bit);
            codes[j * step] = (sbyte)((int)(code & mask) - offset);
        }
    }

    private static (int Word, int Bit) Place(int j, int bits, bool dense)
    {
        if (!dense) return (j / (32 / bits), j % (32 / bits) * bits);
        var bit = (long)j * bits;
        return ((int)(bit >> 5), (int)(bit & 31));
    }
}
