using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Quilt.Formats.Tokenizers.Normalizing;

/// <summary>
/// "Precompiled": SentencePiece's character map, as T5 and XLM-RoBERTa carry it. The map is a double-array trie over UTF-8
/// (Darts-clone: a count of bytes, then 32-bit units) whose values are places in a block of texts that end in NUL.
/// </summary>
internal sealed class PrecompiledNormalizer : Normalizer
{
    private const int LongestGrapheme = 6;
    private readonly uint[] units;
    private readonly byte[] texts;

    /// <exception cref="FormatException">The map is cut short, or its texts are not UTF-8.</exception>
    public PrecompiledNormalizer(ReadOnlySpan<byte> map)
    {
        if (map.Length < 4) throw new FormatException("it has no size");
        var size = BinaryPrimitives.ReadUInt32LittleEndian(map);
        if (size % 4 != 0 || size == 0 || size > map.Length - 4)
            throw new FormatException($"its trie has {size} bytes, and {map.Length - 4} are left");
        units = new uint[size / 4];
        for (var i = 0; i < units.Length; i++) units[i] = BinaryPrimitives.ReadUInt32LittleEndian(map[(4 + i * 4)..]);
        texts = map[(4 + (int)size)..].ToArray();
        if (!System.Text.Unicode.Utf8.IsValid(texts)) throw new FormatException("its texts are not UTF-8");
    }

    // The library asks for a whole grapheme where it is short, and otherwise for its code points one by one. Whatever goes, it takes the
    // text to start where it did.
    public override bool Apply(ReadOnlySpan<byte> text, NormalizerScratch scratch, Utf8Buffer into, ref bool opens)
    {
        var chars = Encoding.UTF8.GetString(text).AsSpan();
        Span<byte> bytes = stackalloc byte[LongestGrapheme * 2];
        while (chars.Length > 0)
        {
            var length = StringInfo.GetNextTextElementLength(chars);
            var grapheme = chars[..length];
            chars = chars[length..];
            if (Encoding.UTF8.GetByteCount(grapheme) < LongestGrapheme && Find(bytes[..Encoding.UTF8.GetBytes(grapheme, bytes)], out var mapped))
                into.Add(mapped);
            else
            {
                foreach (var rune in grapheme.EnumerateRunes())
                {
                    var its = bytes[..rune.EncodeToUtf8(bytes)];
                    into.Add(Find(its, out mapped) ? mapped : its);
                }
            }
        }
        return true;
    }

    // The text of the shortest key that the bytes begin with: the library takes the first result of its search for prefixes.
    private bool Find(ReadOnlySpan<byte> key, out ReadOnlySpan<byte> text)
    {
        text = default;
        var node = Offset(units[0]);
        foreach (var value in key)
        {
            if (value == 0) return false;
            node ^= value;
            if (node >= (uint)units.Length) return false;
            var unit = units[node];
            // A label of a byte, and no leaf.
            if ((unit & (1u << 31 | 0xFF)) != value) return false;
            node ^= Offset(unit);
            if ((unit >> 8 & 1) == 0) continue;
            if (node >= (uint)units.Length) return false;
            var start = (int)(units[node] & 0x7FFFFFFF);
            if (start > texts.Length || start < texts.Length && (texts[start] & 0xC0) == 0x80) return false;
            var its = texts.AsSpan(start);
            var end = its.IndexOf((byte)0);
            text = end < 0 ? its : its[..end];
            return true;
        }
        return false;
    }

    private static uint Offset(uint unit) => unit >> 10 << (int)((unit & 1u << 9) >> 6);
}
