using System.Globalization;
using System.Net;
using System.Numerics;
using System.Text;
using System.Text.Json;

namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// An argument's text as JSON of a type its schema allows. Types are tried in the order null, integer, number, boolean, object or array, string; what
/// none of them takes is tried as JSON, and stays a string if it is none. A number that JSON cannot hold (1e999, NaN) stays a string too. Source:
/// vLLM's coerce_to_schema_type at 0064cc9.
/// </summary>
internal static class ArgumentValue
{
    /// <summary>Appends <paramref name="text"/>, trimmed already, as JSON.</summary>
    public static void Write(string text, ValueTypes types, ArgumentRules rules, StringBuilder into)
    {
        if (rules.DecodeEntities) text = WebUtility.HtmlDecode(text);
        if (IsNull(text, types, rules)) into.Append("null");
        else if (types.HasFlag(ValueTypes.Integer) && Integer(text) is { } integer) into.Append(integer);
        else if (types.HasFlag(ValueTypes.Number) && Number(text) is { } number) into.Append(number);
        else if (types.HasFlag(ValueTypes.Boolean) && Boolean(text, rules) is { } truth) into.Append(truth ? "true" : "false");
        else if ((types & (ValueTypes.Object | ValueTypes.Array)) != 0 && TryWriteJson(text, into)) return;
        else if (types.HasFlag(ValueTypes.String) || !TryWriteJson(text, into)) JsonString.Quote(text, into);
    }

    private static bool IsNull(string text, ValueTypes types, ArgumentRules rules)
    {
        if (rules.LegacyWords && (Is(text, "null") || Is(text, "none") || Is(text, "nil"))) return true;
        return (rules.NullAlways || types.HasFlag(ValueTypes.Null)) && Is(text, "null");
    }

    private static bool? Boolean(string text, ArgumentRules rules)
    {
        text = text.Trim();
        if (Is(text, "true") || text == "1") return true;
        if (Is(text, "false") || text == "0") return false;
        if (!rules.LegacyWords) return null;
        return Is(text, "yes") || Is(text, "on") ? true : Is(text, "no") || Is(text, "off") ? false : null;
    }

    private static bool Is(string text, string word) => text.Equals(word, StringComparison.OrdinalIgnoreCase);

    // Python's int(): a sign, digits with single underscores between them. Leading zeros are not JSON.
    private static string? Integer(string text)
    {
        if (Plain(text.Trim()) is not { } digits) return null;
        var negative = digits.StartsWith('-');
        digits = digits.TrimStart('+', '-');
        if (digits.Length is 0 or > ArgumentJson.MaxNumber || digits.AsSpan().ContainsAnyExceptInRange('0', '9')) return null;
        digits = digits.TrimStart('0');
        return digits.Length == 0 ? "0" : negative ? "-" + digits : digits;
    }

    // Python's float(), and a whole number as an integer.
    private static string? Number(string text)
    {
        if (Plain(text.Trim()) is not { Length: <= ArgumentJson.MaxNumber } plain) return null;
        const NumberStyles style = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        if (!double.TryParse(plain, style, CultureInfo.InvariantCulture, out var real) || !double.IsFinite(real)) return null;
        return real == Math.Floor(real) ? new BigInteger(real).ToString(CultureInfo.InvariantCulture) : Jinja.Number.Format(real);
    }

    // Without underscores, each of which must stand between digits; at most one sign in front.
    private static string? Plain(string text)
    {
        if (text.Length > 1 && text[0] is '+' or '-' && text[1] is '+' or '-') return null;
        if (!text.Contains('_')) return text;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '_' && (i == 0 || i == text.Length - 1 || !char.IsAsciiDigit(text[i - 1]) || !char.IsAsciiDigit(text[i + 1]))) return null;
        }
        return text.Replace("_", "", StringComparison.Ordinal);
    }

    private static bool TryWriteJson(string text, StringBuilder into)
    {
        var start = into.Length;
        try
        {
            using var document = JsonDocument.Parse(text);
            if (ArgumentJson.TryWrite(document.RootElement, into)) return true;
        }
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidOperationException)
        {
            // Not JSON, nested deeper than is read, or half of a surrogate pair: the text stays a string.
        }
        into.Length = start;
        return false;
    }
}
