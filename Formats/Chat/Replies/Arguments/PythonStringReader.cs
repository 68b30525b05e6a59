using System.Text;

namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// Reads the inside of a Python string, a piece at a time, and writes it as <see cref="JsonString"/> does. What models get wrong is passed on as they
/// wrote it: raw line breaks, a backslash that begins no escape, and quotes inside that are not escaped; a quote ends the string only where a comma,
/// a colon or a closing bracket follows.
/// </summary>
internal sealed class PythonStringReader
{
    private readonly StringBuilder behind = new();           // a quote that may be the last: white space
    private readonly StringBuilder escape = new();           // with digits, without its backslash
    private JsonString into;
    private At at;
    private char quote;
    private bool isTriple;
    private int quotes;                                      // of three, seen
    private int value, digits;                               // of an escape in digits, and how many are to come
    private int radix;

    private enum At
    {
        Begin,                                               // behind the first quote
        BeginTwice,                                          // behind a second
        Inside,
        Escape,
        Digits,
        Quote,                                               // behind what may be the last
    }

    /// <summary>Whether the last quote may have been the last.</summary>
    public bool MayBeOver => at is At.Quote or At.BeginTwice;

    /// <summary>A string's first quote was seen; its text goes to <paramref name="target"/>, without quotes.</summary>
    public void Begin(char first, StringBuilder target)
    {
        (quote, at, isTriple, quotes) = (first, At.Begin, false, 0);
        into = new JsonString(target);
        behind.Clear();
    }

    /// <summary>Reads up to the string's end; <paramref name="isOver"/> says that it was met.</summary>
    /// <returns>How many characters were taken.</returns>
    public int Read(ReadOnlySpan<char> text, out bool isOver)
    {
        isOver = false;
        var taken = 0;
        while (taken < text.Length && !isOver)
        {
            if (at == At.Inside && quotes == 0)
            {
                var plain = text[taken..].IndexOfAny(quote, '\\') is >= 0 and var special ? special : text.Length - taken;
                into.Append(text.Slice(taken, plain));
                taken += plain;
                if (taken == text.Length) break;
            }
            if (Take(text[taken], ref isOver)) taken++;
        }
        return taken;
    }

    /// <summary>The text ends inside the string; half an escape is nothing, and a quote at the end is the last.</summary>
    public void Close() => into.End();

    // False where the character is settled once more, in another place, or is none of the string.
    private bool Take(char c, ref bool isOver)
    {
        switch (at)
        {
            case At.Begin:
                at = c == quote ? At.BeginTwice : At.Inside;
                return c == quote;
            case At.BeginTwice:
                isTriple = c == quote;
                at = isTriple ? At.Inside : At.Quote;
                return isTriple;
            case At.Inside:
                return TakeInside(c, ref isOver);
            case At.Escape:
                Escape(c);
                return true;
            case At.Digits:
                return TakeDigit(c);
            default:
                return TakeBehindQuote(c, ref isOver);
        }
    }

    private bool TakeInside(char c, ref bool isOver)
    {
        if (c == quote)
        {
            if (!isTriple) at = At.Quote;
            else if (++quotes == 3) End(ref isOver);
            return true;
        }
        for (; quotes > 0; quotes--) into.Append(quote);
        if (c == '\\') at = At.Escape;
        else into.Append(c);
        return true;
    }

    private bool TakeBehindQuote(char c, ref bool isOver)
    {
        if (Spaces.IsSpace(c))
        {
            behind.Append(c);
            return true;
        }
        if (c is ',' or ':' or ')' or ']' or '}')
        {
            End(ref isOver);
            return false;
        }
        into.Append(quote);
        foreach (var chunk in behind.GetChunks()) into.Append(chunk.Span);
        behind.Clear();
        at = At.Inside;
        return false;
    }

    private void Escape(char c)
    {
        at = At.Inside;
        (digits, radix, value) = c switch
        {
            'x' => (2, 16, 0),
            'u' => (4, 16, 0),
            'U' => (8, 16, 0),
            >= '0' and <= '7' => (2, 8, c - '0'),
            _ => (0, 0, 0),
        };
        if (digits > 0)
        {
            escape.Clear().Append(c);
            at = At.Digits;
            return;
        }
        var plain = c switch
        {
            'n' => '\n', 'r' => '\r', 't' => '\t', 'b' => '\b', 'f' => '\f', 'v' => '\v', 'a' => '\a', '\\' or '\'' or '"' => c, _ => '\0',
        };
        if (plain != 0) into.Append(plain);
        else if (c != '\n')
        {
            into.Append('\\');
            into.Append(c);
        }
    }

    // False where the character is none of the escape: an octal one may be short, any other then is text.
    private bool TakeDigit(char c)
    {
        var digit = char.IsAsciiHexDigit(c) ? Convert.ToInt32(c.ToString(), 16) : radix;
        if (digit < radix)
        {
            escape.Append(c);
            value = (value * radix) + digit;
            if (--digits > 0) return true;
        }
        at = At.Inside;
        if (digits > 0 && radix == 16)
        {
            into.Append('\\');
            foreach (var chunk in escape.GetChunks()) into.Append(chunk.Span);
        }
        else if (value is > 0xffff and <= 0x10ffff) into.Append(char.ConvertFromUtf32(value));
        else into.Append(value is >= 0 and <= 0xffff ? (char)value : '\ufffd');
        return digit < radix;
    }

    private void End(ref bool isOver)
    {
        into.End();
        isOver = true;
    }
}
