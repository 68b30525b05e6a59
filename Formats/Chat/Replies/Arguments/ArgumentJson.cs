using System.Text;
using System.Text.Json;

namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// JSON written anew as Python's json.dumps(json.loads(…), ensure_ascii=False) does: its separators, its number forms, the last of equal keys.
/// </summary>
internal static class ArgumentJson
{
    /// <summary>Digits of a number, at most: Python's own limit.</summary>
    public const int MaxNumber = 4300;

    /// <summary>
    /// Appends <paramref name="value"/>; false where it holds a number that is not finite or too long, with the text then half written.
    /// </summary>
    public static bool TryWrite(JsonElement value, StringBuilder into)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object: return TryWriteObject(value, into);
            case JsonValueKind.Array: return TryWriteArray(value, into);
            case JsonValueKind.Number: return TryWriteNumber(value, into);
            case JsonValueKind.String:
                JsonString.Quote(value.GetString(), into);
                return true;
            default:
                into.Append(value.GetRawText());
                return true;
        }
    }

    private static bool TryWriteObject(JsonElement value, StringBuilder into)
    {
        var last = new OrderedDictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var property in value.EnumerateObject()) last[property.Name] = property.Value;
        var first = true;
        into.Append('{');
        foreach (var (key, member) in last)
        {
            if (!first) into.Append(", ");
            first = false;
            JsonString.Quote(key, into);
            into.Append(": ");
            if (!TryWrite(member, into)) return false;
        }
        into.Append('}');
        return true;
    }

    private static bool TryWriteArray(JsonElement value, StringBuilder into)
    {
        var first = true;
        into.Append('[');
        foreach (var item in value.EnumerateArray())
        {
            if (!first) into.Append(", ");
            first = false;
            if (!TryWrite(item, into)) return false;
        }
        into.Append(']');
        return true;
    }

    private static bool TryWriteNumber(JsonElement value, StringBuilder into)
    {
        var raw = value.GetRawText();
        if (raw.Length > MaxNumber) return false;
        if (!raw.AsSpan().ContainsAny('.', 'e', 'E'))
        {
            into.Append(raw == "-0" ? "0" : raw);
            return true;
        }
        if (ArgumentNumber.Real(raw) is not { } real) return false;
        into.Append(real);
        return true;
    }
}
