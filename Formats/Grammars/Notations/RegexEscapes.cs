namespace Quilt.Formats.Grammars.Notations;

/// <summary>What follows a backslash in a regular expression.</summary>
internal static class RegexEscapes
{
    private const int LongestName = 64;

    /// <summary>A class or one character; the backslash is taken already.</summary>
    /// <param name="text">Where the letter behind the backslash comes next.</param>
    /// <param name="ascii">Whether <c>\d</c>, <c>\w</c> and <c>\s</c> are ASCII.</param>
    /// <param name="inClass">Whether it stands in brackets, where <c>\b</c> is a backspace.</param>
    /// <param name="codePoint">The character; -1 where it is a class.</param>
    /// <exception cref="BadInputException">It is not known.</exception>
    public static CodePointSet Read(NotationText text, bool ascii, bool inClass, out int codePoint)
    {
        var start = text.At - 1;
        if (text.IsAtEnd) throw text.Bad("nothing follows the backslash", start);
        var letter = text.Take();
        codePoint = -1;
        if (RegexClasses.Shorthand(letter, ascii) is { } set) return set;
        if (letter is 'p' or 'P') return Property(text, start, letter == 'P');
        codePoint = Character(text, letter, inClass, start);
        if (codePoint is > 0x10FFFF or >= 0xD800 and <= 0xDFFF) throw text.Bad("this is no code point", start);
        return CodePointSet.Of(codePoint);
    }

    private static int Character(NotationText text, int letter, bool inClass, int start)
    {
        switch (letter)
        {
            case 'n': return '\n';
            case 'r': return '\r';
            case 't': return '\t';
            case 'f': return '\f';
            case 'v': return '\v';
            case 'a': return '\a';
            case '0' when text.Next is < '0' or > '9': return 0;
            case 'b' when inClass: return '\b';
            case 'x': return text.Next == '{' ? Braced(text) : text.TakeHex(2, 2);
            case 'u': return text.Next == '{' ? Braced(text) : Utf16(text);
            case 'U': return text.TakeHex(8, 8);
            case 'c' when text.Next is >= 'a' and <= 'z' or >= 'A' and <= 'Z': return text.Take() & 31;
        }
        if (letter is >= '1' and <= '9' or 'k' or 'g') throw text.Bad("backreferences are not supported", start);
        if (letter is 'b' or 'B') throw text.Bad("word boundaries are not supported", start);
        if (letter < 128 && char.IsAsciiLetterOrDigit((char)letter)) throw text.Bad($"the escape \\{(char)letter} is not known", start);
        return letter;
    }

    private static int Braced(NotationText text)
    {
        text.Take();
        var value = text.TakeHex(1, 6);
        if (!text.TryTake("}")) throw text.Bad("'}' is expected");
        return value;
    }

    // Two escapes may spell one code point, as UTF-16 does.
    private static int Utf16(NotationText text)
    {
        var high = text.TakeHex(4, 4);
        if (high is < 0xD800 or > 0xDBFF || !text.TryTake("\\u")) return high;
        var low = text.TakeHex(4, 4);
        if (low is < 0xDC00 or > 0xDFFF) throw text.Bad("half a surrogate pair");
        return 0x10000 + ((high - 0xD800) << 10) + low - 0xDC00;
    }

    private static CodePointSet Property(NotationText text, int start, bool negative)
    {
        var from = text.At;
        string name;
        if (text.TryTake("{"))
        {
            while (text.Next is not ('}' or -1) && text.At - from <= LongestName) text.At++;
            name = text.Slice(from + 1, text.At);
            if (!text.TryTake("}")) throw text.Bad("'}' is expected");
        }
        else
        {
            text.Take();
            name = text.Slice(from, text.At);
        }
        if (name.StartsWith('^')) (negative, name) = (!negative, name[1..]);
        var set = RegexClasses.Property(name) ?? throw text.Bad($"the property '{name}' is not known", start);
        return negative ? set.Complement() : set;
    }
}
