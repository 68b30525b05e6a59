namespace Quilt.Formats.Grammars.Notations;

/// <summary>What follows a backslash in the texts and classes of EBNF and Lark.</summary>
internal static class NotationEscapes
{
    /// <summary>The code point; the backslash is taken already.</summary>
    /// <exception cref="BadInputException">The escape is not known.</exception>
    public static int Read(NotationText text)
    {
        var at = text.At - 1;
        var c = text.Take();
        var point = c switch
        {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'f' => '\f',
            'v' => '\v',
            'b' => '\b',
            'a' => '\a',
            '0' => 0,
            'x' => text.TakeHex(2, 2),
            'u' => text.TryTake("{") ? Braced(text) : Utf16(text),
            'U' => text.TakeHex(8, 8),
            _ when c < 128 && char.IsAsciiLetterOrDigit((char)c) => throw text.Bad($"the escape \\{(char)c} is not known", at),
            _ => c,
        };
        if (point is < 0 or > 0x10FFFF or >= 0xD800 and <= 0xDFFF) throw text.Bad("this is no code point", at);
        return point;
    }

    private static int Braced(NotationText text)
    {
        var point = text.TakeHex(1, 6);
        if (!text.TryTake("}")) throw text.Bad("'}' is expected");
        return point;
    }

    private static int Utf16(NotationText text)
    {
        var high = text.TakeHex(4, 4);
        if (high is < 0xD800 or > 0xDBFF || !text.TryTake("\\u")) return high;
        var low = text.TakeHex(4, 4);
        return low is >= 0xDC00 and <= 0xDFFF ? 0x10000 + ((high - 0xD800) << 10) + low - 0xDC00 : high;
    }
}
