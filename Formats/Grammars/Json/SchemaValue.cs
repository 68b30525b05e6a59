using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Quilt.Formats.Chat.Replies;

namespace Quilt.Formats.Grammars.Json;

/// <summary>One value of an enum or const.</summary>
internal sealed class SchemaValue
{
    private SchemaValue(JsonElement element, string key, JsonTypes type, JsonDecimal? number) =>
        (Element, Key, Type, Number) = (element, key, type, number);

    public JsonElement Element { get; }

    /// <summary>The same text for equal values: 1 and 1.0 are one.</summary>
    public string Key { get; }

    public JsonTypes Type { get; }

    /// <summary>Its number, if it is one that is not too long.</summary>
    public JsonDecimal? Number { get; }

    public static SchemaValue Of(JsonElement element)
    {
        var number = element.ValueKind == JsonValueKind.Number ? JsonDecimal.Parse(element.GetRawText()) : null;
        var type = element.ValueKind switch
        {
            JsonValueKind.Null => JsonTypes.Null,
            JsonValueKind.True => JsonTypes.True,
            JsonValueKind.False => JsonTypes.False,
            JsonValueKind.String => JsonTypes.String,
            JsonValueKind.Array => JsonTypes.Array,
            JsonValueKind.Object => JsonTypes.Object,
            _ => number is { IsInteger: false } ? JsonTypes.Fraction : JsonTypes.Integer,
        };
        if (type == JsonTypes.String) return new(element, "s" + element.GetString(), type, null);
        var key = new StringBuilder();
        WriteKey(element, key);
        return new(element, key.ToString(), type, number);
    }

    private static void WriteKey(JsonElement element, StringBuilder key)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Number:
                key.Append(JsonDecimal.Parse(element.GetRawText()) is { } number ? $"{number.Digits}e{number.Scale}" : element.GetRawText());
                break;
            case JsonValueKind.String:
                JsonString.Quote(element.GetString(), key);
                break;
            case JsonValueKind.Array:
                key.Append('[');
                foreach (var item in element.EnumerateArray())
                {
                    WriteKey(item, key);
                    key.Append(',');
                }
                key.Append(']');
                break;
            case JsonValueKind.Object:
                key.Append('{');
                foreach (var property in element.EnumerateObject().OrderBy(p => p.Name, StringComparer.Ordinal))
                {
                    JsonString.Quote(property.Name, key);
                    WriteKey(property.Value, key);
                    key.Append(',');
                }
                key.Append('}');
                break;
            default:
                key.Append(element.GetRawText());
                break;
        }
    }
}

/// <summary>Values that are listed, each once, in their order.</summary>
internal sealed class ValueSet
{
    private readonly HashSet<string> keys;

    public ValueSet(IEnumerable<SchemaValue> values)
    {
        keys = new(StringComparer.Ordinal);
        Items = [.. values.Where(value => keys.Add(value.Key))];
        foreach (var value in Items) Types |= value.Type;
    }

    public ImmutableArray<SchemaValue> Items { get; }

    /// <summary>The types they have.</summary>
    public JsonTypes Types { get; }

    public bool Contains(SchemaValue value) => keys.Contains(value.Key);

    public ValueSet Intersect(ValueSet other) => Where(other.Contains);

    /// <summary>Those that are chosen; itself where all are.</summary>
    public ValueSet Where(Func<SchemaValue, bool> isChosen)
    {
        var chosen = Items.Where(isChosen).ToList();
        return chosen.Count == Items.Length ? this : new(chosen);
    }
}
