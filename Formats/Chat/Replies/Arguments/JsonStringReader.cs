using System.Text;

namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// Reads the inside of a JSON string, a piece at a time, and writes it anew as <see cref="JsonString"/> does. What models get wrong is passed on as
/// they wrote it: control characters are escaped, a backslash that begins no escape is one.
/// </summary>
internal sealed class JsonStringReader
{
    private readonly char[] hex = new char[4];
    private JsonString into;
    private int digits;                                      // of \uXXXX read; −1: not in one
    private bool isEscape;

    /// <summary>A string's first quote was seen; its text goes to <paramref name="target"/>, without quotes.</summary>
    public void Begin(StringBuilder target)
    {
        into = new JsonString(target);
        (isEscape, digits) = (false, -1);
    }

    /// <summary>Reads up to the string's last quote; <paramref name="isOver"/> says that it was met and taken.</summary>
    /// <returns>How many characters were taken.</returns>
    public int Read(ReadOnlySpan<char> text, out bool isOver)
    {
        isOver = false;
        var taken = 0;
        while (taken < text.Length)
        {
            if (!isEscape && digits < 0)
            {
                var plain = text[taken..].IndexOfAny('"', '\\') is >= 0 and var at ? at : text.Length - taken;
                into.Append(text.Slice(taken, plain));
                taken += plain;
                if (taken == text.Length) break;
                if (text[taken++] == '"')
                {
                    isOver = true;
                    into.End();
                    break;
                }
                isEscape = true;
            }
            else if (isEscape) Escape(text[taken++]);
            else if (Digit(text[taken])) taken++;
        }
        return taken;
    }

    /// <summary>The text ends inside the string; half an escape is nothing.</summary>
    public void Close() => into.End();

    private void Escape(char c)
    {
        isEscape = false;
        if (c == 'u')
        {
            digits = 0;
            return;
        }
        var plain = c switch { 'n' => '\n', 'r' => '\r', 't' => '\t', 'b' => '\b', 'f' => '\f', '"' or '\\' or '/' => c, _ => '\0' };
        if (plain != 0) into.Append(plain);
        else
        {
            into.Append('\\');
            into.Append(c);
        }
    }

    // False where the character is none of the escape, which then is text.
    private bool Digit(char c)
    {
        if (!char.IsAsciiHexDigit(c))
        {
            into.Append("\\u");
            into.Append(hex.AsSpan(0, digits));
            digits = -1;
            return false;
        }
        hex[digits++] = c;
        if (digits < hex.Length) return true;
        into.Append((char)Convert.ToUInt16(new string(hex), 16));
        digits = -1;
        return true;
    }
}
