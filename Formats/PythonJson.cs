using System.Globalization;
using System.Text.Json;

namespace Quilt.Formats;

/// <summary>
/// From what Python's json module reads to JSON: the settings of a model folder are written and read by it, and it takes more than JSON allows.
/// <list type="bullet">
/// <item>NaN, Infinity and -Infinity become numbers that no double holds (<see cref="Show"/> gives their names back): nothing can be made of them
/// where they are read, and nothing is amiss where they are not.</item>
/// <item>Half a surrogate pair (\ud800) in a name becomes U+FFFD: such a name is none that is looked for. In a value it stays, and is refused when
/// it is read.</item>
/// <item>A name that stands twice is no matter of text; whoever looks for it decides.</item>
/// </list>
/// </summary>
internal static class PythonJson
{
    /// <summary>Levels of nesting; Python's own reader gives up at about as many.</summary>
    public const int MaxDepth = 1000;

    private static readonly (byte[] Name, byte[] Number)[] Beyond =
    [
        ("NaN"u8.ToArray(), "1e888888"u8.ToArray()),
        ("Infinity"u8.ToArray(), "1e999999"u8.ToArray()),
        ("-Infinity"u8.ToArray(), "-1e999999"u8.ToArray()),
    ];

    /// <summary>The text as JSON; <paramref name="text"/> itself, perhaps changed, where its length stays.</summary>
    /// <exception cref="JsonException">It is neither.</exception>
    public static byte[] ToJson(byte[] text)
    {
        // Nearly every file is JSON already, and an index of a hundred thousand tensors is long.
        var json = text.AsSpan().IndexOf("NaN"u8) < 0 && text.AsSpan().IndexOf("Infinity"u8) < 0 ? text : ReplaceNumbers(text);
        if (json.AsSpan().IndexOf("\\u"u8) < 0) return json;
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth });
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.PropertyName && reader.ValueIsEscaped)
                MendSurrogates(json.AsSpan((int)reader.TokenStartIndex + 1, reader.ValueSpan.Length));
        }
        return json;
    }

    /// <summary>A value's text for a message, with the numbers that JSON lacks under their own names.</summary>
    public static string Show(JsonElement value)
    {
        var text = value.GetRawText();
        return text switch { "1e888888" => "NaN", "1e999999" => "Infinity", "-1e999999" => "-Infinity", _ => text };
    }

    private static byte[] ReplaceNumbers(byte[] text)
    {
        List<byte>? changed = null;
        var copied = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '"') i = EndOfString(text, i);
            else if (text[i] is (byte)'N' or (byte)'I' or (byte)'-')
            {
                foreach (var (name, number) in Beyond)
                {
                    if (!StandsAlone(text, i, name)) continue;
                    (changed ??= []).AddRange(text.AsSpan(copied, i - copied));
                    changed.AddRange(number);
                    copied = i + name.Length;
                    i = copied - 1;
                    break;
                }
            }
        }
        if (changed is null) return text;
        changed.AddRange(text.AsSpan(copied));
        return [.. changed];
    }

    // As a value of its own: 1NaN is nothing to Python either.
    private static bool StandsAlone(byte[] text, int at, byte[] name) =>
        text.AsSpan(at).StartsWith(name)
            && (at == 0 || " \t\r\n:[,"u8.Contains(text[at - 1]))
            && (at + name.Length == text.Length || " \t\r\n,]}"u8.Contains(text[at + name.Length]));

    private static int EndOfString(byte[] text, int start)
    {
        var i = start + 1;
        while (i < text.Length && text[i] != '"') i += text[i] == '\\' ? 2 : 1;
        return i;
    }

    // Both halves of a pair are \u and four digits, one behind the other.
    private static void MendSurrogates(Span<byte> name)
    {
        const int Escape = 6;
        for (var i = 0; i + Escape <= name.Length; i++)
        {
            if (name[i] != '\\') continue;
            if (name[i + 1] != 'u')
            {
                i++;
                continue;
            }
            var (high, low) = (Unit(name, i), i + (2 * Escape) <= name.Length && name[i + Escape] == '\\' && name[i + Escape + 1] == 'u'
                ? Unit(name, i + Escape)
                : '\0');
            if (char.IsHighSurrogate(high) && char.IsLowSurrogate(low)) i += Escape;
            else if (char.IsSurrogate(high)) "fffd"u8.CopyTo(name[(i + 2)..]);
            i += Escape - 1;
        }
    }

    private static char Unit(ReadOnlySpan<byte> name, int at) =>
        (char)int.Parse(name.Slice(at + 2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
