using System.Net;
using System.Text;
using System.Text.Json;

namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// An argument's text as JSON of a type its schema allows. Types are tried in the order null, integer, number, boolean, object or array, string; what
/// none of them takes is tried as JSON, and stays a string if it is none. A number that JSON cannot hold (1e999, NaN) stays a string too. So far as
/// vLLM's coerce_to_schema_type at 0064cc9; beyond it Python's None is null, as its True and False are boolean, and lists and objects may be Python's
/// literals, since models that write Python write them so; and whole numbers keep all of their digits, which are a double's there.
/// </summary>
internal static class ArgumentValue
{
    /// <summary>Appends <paramref name="text"/>, trimmed already, as JSON.</summary>
    public static void Write(string text, ValueTypes types, ArgumentRules rules, StringBuilder into)
    {
        if (rules.DecodeEntities) text = WebUtility.HtmlDecode(text);
        if (IsNull(text, types, rules)) into.Append("null");
        else if (types.HasFlag(ValueTypes.Integer) && ArgumentNumber.Integer(text) is { } integer) into.Append(integer);
        else if (types.HasFlag(ValueTypes.Number) && ArgumentNumber.Number(text) is { } number) into.Append(number);
        else if (types.HasFlag(ValueTypes.Boolean) && Boolean(text, rules) is { } truth) into.Append(truth ? "true" : "false");
        else if ((types & (ValueTypes.Object | ValueTypes.Array)) != 0 && (TryWriteJson(text, into) || TryWritePython(text, into))) return;
        else if (types.HasFlag(ValueTypes.String)) JsonString.Quote(text, into);
        else if (!TryWriteJson(text, into) && !(types.HasFlag(ValueTypes.Unknown) && TryWritePython(text, into))) JsonString.Quote(text, into);
    }

    private static bool IsNull(string text, ValueTypes types, ArgumentRules rules)
    {
        if (rules.LegacyWords && (Is(text, "null") || Is(text, "none") || Is(text, "nil"))) return true;
        if (text == "None") return types.HasFlag(ValueTypes.Null) && !types.HasFlag(ValueTypes.NoneIsText);
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

    // Lists, tuples and dictionaries, whole, and the words that are Python's own: any other literal is as likely to be text.
    private static bool TryWritePython(string text, StringBuilder into)
    {
        var literal = text.AsSpan().Trim();
        if (literal.IsEmpty || (literal[0] is not ('[' or '{' or '(') && literal is not ("True" or "False" or "None"))) return false;
        var start = into.Length;
        var reader = new PythonRelay(isCall: false);
        reader.Begin(into);
        // A word is over where something follows it.
        if (reader.Read(literal) == literal.Length && (reader.IsDone || reader.Read(" ") == 1) && reader.IsDone && reader.IsExact) return true;
        into.Length = start;
        return false;
    }
}
