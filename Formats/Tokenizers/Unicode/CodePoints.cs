namespace Quilt.Formats.Tokenizers.Unicode;

/// <summary>Stepping through valid UTF-8 one code point at a time; the tokenizer checks its input once, so nothing is checked here.</summary>
internal static class CodePoints
{
    public const int Last = 0x10FFFF;

    /// <summary>The code point that starts at <paramref name="at"/>, and its length in bytes.</summary>
    public static int Read(ReadOnlySpan<byte> text, int at, out int length)
    {
        int lead = text[at];
        if (lead < 0x80) { length = 1; return lead; }
        if (lead < 0xE0) { length = 2; return (lead & 0x1F) << 6 | text[at + 1] & 0x3F; }
        if (lead < 0xF0) { length = 3; return (lead & 0x0F) << 12 | (text[at + 1] & 0x3F) << 6 | text[at + 2] & 0x3F; }
        length = 4;
        return (lead & 0x07) << 18 | (text[at + 1] & 0x3F) << 12 | (text[at + 2] & 0x3F) << 6 | text[at + 3] & 0x3F;
    }

    /// <summary>How many code points a text has.</summary>
    public static int Count(ReadOnlySpan<byte> text)
    {
        var count = 0;
        foreach (var value in text) if ((value & 0xC0) != 0x80) count++;
        return count;
    }

    /// <summary>Where the code point before <paramref name="at"/> starts.</summary>
    public static int Before(ReadOnlySpan<byte> text, int at)
    {
        do at--; while ((text[at] & 0xC0) == 0x80);
        return at;
    }

    /// <summary>Writes a code point and returns its length; <paramref name="into"/> has room for four bytes.</summary>
    public static int Write(int codePoint, Span<byte> into)
    {
        if (codePoint < 0x80) { into[0] = (byte)codePoint; return 1; }
        if (codePoint < 0x800)
        {
            into[0] = (byte)(0xC0 | codePoint >> 6);
            into[1] = (byte)(0x80 | codePoint & 0x3F);
            return 2;
        }
        if (codePoint < 0x10000)
        {
            into[0] = (byte)(0xE0 | codePoint >> 12);
            into[1] = (byte)(0x80 | codePoint >> 6 & 0x3F);
            into[2] = (byte)(0x80 | codePoint & 0x3F);
            return 3;
        }
        into[0] = (byte)(0xF0 | codePoint >> 18);
        into[1] = (byte)(0x80 | codePoint >> 12 & 0x3F);
        into[2] = (byte)(0x80 | codePoint >> 6 & 0x3F);
        into[3] = (byte)(0x80 | codePoint & 0x3F);
        return 4;
    }
}
