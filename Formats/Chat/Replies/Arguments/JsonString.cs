using System.Globalization;
using System.Text;

namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// Writes the inside of a JSON string with the escapes of Python's json.dumps(ensure_ascii=False), a character at a time. Half of a surrogate pair
/// becomes U+FFFD.
/// </summary>
internal struct JsonString(StringBuilder into)
{
    private char high;                                       // waits for its other half; 0: none

    /// <summary>Appends a whole string, quotes and all.</summary>
    public static void Quote(ReadOnlySpan<char> text, StringBuilder into)
    {
        into.Append('"');
        var inside = new JsonString(into);
        inside.Append(text);
        inside.End();
        into.Append('"');
    }

    public void Append(ReadOnlySpan<char> text)
    {
        foreach (var c in text) Append(c);
    }

    public void Append(char c)
    {
        if (high != 0)
        {
            if (char.IsLowSurrogate(c))
            {
                into.Append(high).Append(c);
                high = '\0';
                return;
            }
            End();
        }
        switch (c)
        {
            case '"': into.Append("\\\""); break;
            case '\\': into.Append("\\\\"); break;
            case '\n': into.Append("\\n"); break;
            case '\r': into.Append("\\r"); break;
            case '\t': into.Append("\\t"); break;
            case '\f': into.Append("\\f"); break;
            case '\b': into.Append("\\b"); break;
            case < ' ': into.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"); break;
            case >= '\ud800' and <= '\udbff': high = c; break;
            case >= '\udc00' and <= '\udfff': into.Append('\ufffd'); break;
            default: into.Append(c); break;
        }
    }

    /// <summary>Nothing follows.</summary>
    public void End()
    {
        if (high == 0) return;
        into.Append('\ufffd');
        high = '\0';
    }
}
