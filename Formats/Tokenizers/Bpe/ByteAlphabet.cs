using System.Text;

namespace Quilt.Formats.Tokenizers.Bpe;

/// <summary>
/// GPT-2's alphabet, in which byte-level vocabularies are written: every byte is one printable character. Printable bytes of Latin-1 stand
/// for themselves, the other 68 for U+0100 and on, in order.
/// </summary>
internal static class ByteAlphabet
{
    private static readonly char[] CharOf = Build();
    private static readonly short[] ByteOf = Invert();

    /// <summary>The character that stands for a byte.</summary>
    public static char Char(byte value) => CharOf[value];

    /// <summary>Bytes as the vocabulary writes them.</summary>
    public static string Write(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder(bytes.Length);
        foreach (var value in bytes) text.Append(CharOf[value]);
        return text.ToString();
    }

    /// <summary>The bytes a token's text stands for, or null where one of its characters is not of the alphabet.</summary>
    public static byte[]? Read(string token)
    {
        var bytes = new byte[token.Length];
        for (var i = 0; i < token.Length; i++)
        {
            var c = token[i];
            if (c >= ByteOf.Length || ByteOf[c] < 0) return null;
            bytes[i] = (byte)ByteOf[c];
        }
        return bytes;
    }

    private static char[] Build()
    {
        var table = new char[256];
        var next = 256;
        for (var value = 0; value < 256; value++)
            table[value] = value is >= '!' and <= '~' or >= 0xA1 and <= 0xAC or >= 0xAE and <= 0xFF ? (char)value : (char)next++;
        return table;
    }

    private static short[] Invert()
    {
        var table = new short[512];
        Array.Fill(table, (short)-1);
        for (var value = 0; value < 256; value++) table[CharOf[value]] = (short)value;
        return table;
    }
}
