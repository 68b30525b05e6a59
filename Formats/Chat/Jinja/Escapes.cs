using System.Globalization;
using System.Text;

namespace Quilt.Formats.Chat.Jinja;

/// <summary>Backslash escapes of string literals, as Python reads them; one it does not know stays as it is.</summary>
internal static class Escapes
{
    /// <summary>
    /// Reads the escape whose backslash is at <paramref name="at"/>; returns the place of its last character, or −1 where it is cut short.
    /// </summary>
    public static int Read(string text, int at, StringBuilder into)
    {
        var c = text[at + 1];
        switch (c)
        {
            case '\n': return at + 1;
            case 'n': into.Append('\n'); return at + 1;
            case 't': into.Append('\t'); return at + 1;
            case 'r': into.Append('\r'); return at + 1;
            case 'a': into.Append('\a'); return at + 1;
            case 'b': into.Append('\b'); return at + 1;
            case 'f': into.Append('\f'); return at + 1;
            case 'v': into.Append('\v'); return at + 1;
            case '\\' or '\'' or '"': into.Append(c); return at + 1;
            case 'x': return Hex(text, at + 2, 2, into) ? at + 3 : -1;
            case 'u': return Hex(text, at + 2, 4, into) ? at + 5 : -1;
            case 'U': return Hex(text, at + 2, 8, into) ? at + 9 : -1;
            case 'N': return -1;
            case >= '0' and <= '7':
                var (end, value) = (at + 1, 0);
                while (end < text.Length && end < at + 4 && text[end] is >= '0' and <= '7') value = (value * 8) + text[end++] - '0';
                into.Append((char)value);
                return end - 1;
            default:
                into.Append('\\').Append(c);
                return at + 1;
        }
    }

    /// <summary>What is wrong with an escape that cannot be read.</summary>
    public static string Problem(char kind) => kind switch
    {
        'x' => "truncated \\xXX escape",
        'u' => "truncated \\uXXXX escape",
        'U' => "illegal Unicode character, or truncated \\UXXXXXXXX escape",
        _ => "characters by name (\\N) are not supported",
    };

    private static bool Hex(string text, int at, int digits, StringBuilder into)
    {
        if (at + digits > text.Length || !int.TryParse(text.AsSpan(at, digits), NumberStyles.AllowHexSpecifier, null, out var code)
            || code is < 0 or > 0x10FFFF) return false;
        if (code < 0x10000) into.Append((char)code);
        else into.Append(char.ConvertFromUtf32(code));
        return true;
    }
}
