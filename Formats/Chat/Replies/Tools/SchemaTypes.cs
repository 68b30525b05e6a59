using System.Text.Json;

namespace Quilt.Formats.Chat.Replies;

/// <summary>What a value may be.</summary>
[Flags]
internal enum ValueTypes
{
    None = 0,
    Null = 1,
    Integer = 2,
    Number = 4,
    Boolean = 8,
    Object = 16,
    Array = 32,
    String = 64,

    /// <summary>A type that JSON schema does not know: tried as JSON.</summary>
    Unknown = 128,

    /// <summary>What is taken for itself where there is no schema: lists and objects are not.</summary>
    Inferred = Null | Integer | Number | Boolean | String,
}

/// <summary>
/// The types a JSON schema names: in <c>type</c> (one or a list, with the names models' authors use), by the values of <c>enum</c>, in <c>anyOf</c>,
/// <c>oneOf</c> and <c>allOf</c>; string where it names none.
/// </summary>
internal static class SchemaTypes
{
    private const int MaxDepth = 64;

    public static ValueTypes Of(JsonElement schema) => Of(schema, 0);

    private static ValueTypes Of(JsonElement schema, int depth)
    {
        if (schema.ValueKind != JsonValueKind.Object || depth > MaxDepth) return ValueTypes.String;
        var types = ValueTypes.None;
        if (schema.TryGetProperty("type", out var type))
        {
            if (type.ValueKind == JsonValueKind.String) types |= Named(type.GetString()!);
            foreach (var one in Items(type))
            {
                if (one.ValueKind == JsonValueKind.String) types |= Named(one.GetString()!);
            }
        }
        if (schema.TryGetProperty("enum", out var values))
        {
            foreach (var value in Items(values)) types |= OfValue(value);
        }
        foreach (var choice in (ReadOnlySpan<string>)["anyOf", "oneOf", "allOf"])
        {
            if (!schema.TryGetProperty(choice, out var choices)) continue;
            foreach (var one in Items(choices)) types |= Of(one, depth + 1);
        }
        return types == ValueTypes.None ? ValueTypes.String : types;
    }

    private static IEnumerable<JsonElement> Items(JsonElement list) => list.ValueKind == JsonValueKind.Array ? list.EnumerateArray() : [];

    private static ValueTypes Named(string type) => type.Trim().ToLowerInvariant() switch
    {
        "null" => ValueTypes.Null,
        "integer" or "int" or "int32" or "int64" or "uint" or "uint32" or "uint64" or "long" or "short" or "unsigned" => ValueTypes.Integer,
        "number" or "float" or "float32" or "float64" or "double" => ValueTypes.Number,
        "boolean" or "bool" => ValueTypes.Boolean,
        "object" or "dict" => ValueTypes.Object,
        "array" or "arr" or "list" or "sequence" => ValueTypes.Array,
        "string" or "str" or "text" or "varchar" or "char" or "enum" => ValueTypes.String,
        _ => ValueTypes.Unknown,
    };

    private static ValueTypes OfValue(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => ValueTypes.Null,
        JsonValueKind.True or JsonValueKind.False => ValueTypes.Boolean,
        JsonValueKind.Number => value.GetRawText().AsSpan().ContainsAny('.', 'e', 'E') ? ValueTypes.Number : ValueTypes.Integer,
        JsonValueKind.Array => ValueTypes.Array,
        JsonValueKind.Object => ValueTypes.Object,
        _ => ValueTypes.String,
    };
}
