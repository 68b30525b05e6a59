using System.Text.Json;

namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// Reads what a tool's JSON schema says of its parameters. Their types are those it names in <c>type</c> (one or a list, with the names models'
/// authors use), by the values of <c>enum</c> and <c>const</c>, by <c>nullable</c>, in <c>anyOf</c>, <c>oneOf</c> and <c>allOf</c>, and wherever a
/// <c>$ref</c> inside the tool points; where it names none, what other keywords imply, or string.
/// </summary>
internal sealed class SchemaReader(JsonElement tool, JsonElement function)
{
    private const int MaxDepth = 64;
    private static readonly string[] choices = ["anyOf", "oneOf", "allOf"];

    // References followed for one parameter: what one adds it adds once, so that circles end and no schema costs more than its length.
    private readonly HashSet<string> followed = new(StringComparer.Ordinal);
    private readonly JsonElement schema = function.TryGetProperty("parameters", out var parameters) ? parameters : default;

    public DeclaredTool Read(string name)
    {
        var found = new Dictionary<string, ValueTypes>(StringComparer.Ordinal);
        var required = new HashSet<string>(StringComparer.Ordinal);
        foreach (var part in Parts(schema))
        {
            if (part.TryGetProperty("properties", out var properties) && properties.ValueKind == JsonValueKind.Object)
            {
                foreach (var property in properties.EnumerateObject()) found[property.Name] = TypesOf(property.Value);
            }
            if (!part.TryGetProperty("required", out var names)) continue;
            foreach (var one in Items(names))
            {
                if (one.ValueKind == JsonValueKind.String) required.Add(one.GetString()!);
            }
        }
        return new DeclaredTool(name, found, required);
    }

    // The schema of a tool's parameters, and what it is made of.
    private List<JsonElement> Parts(JsonElement whole)
    {
        var parts = new List<JsonElement>();
        followed.Clear();
        Add(whole, 0);
        return parts;

        void Add(JsonElement part, int depth)
        {
            if (part.ValueKind != JsonValueKind.Object || depth > MaxDepth) return;
            parts.Add(part);
            if (Follow(part) is { } target) Add(target, depth + 1);
            if (!part.TryGetProperty("allOf", out var all)) return;
            foreach (var one in Items(all)) Add(one, depth + 1);
        }
    }

    private ValueTypes TypesOf(JsonElement parameter)
    {
        followed.Clear();
        var types = Of(parameter, 0);
        return types == ValueTypes.None ? ValueTypes.String : types;
    }

    private ValueTypes Of(JsonElement part, int depth)
    {
        if (part.ValueKind != JsonValueKind.Object || depth > MaxDepth) return ValueTypes.None;
        var types = ValueTypes.None;
        if (part.TryGetProperty("type", out var type))
        {
            if (type.ValueKind == JsonValueKind.String) types |= Named(type.GetString()!);
            foreach (var one in Items(type)) types |= one.ValueKind == JsonValueKind.String ? Named(one.GetString()!) : Of(one, depth + 1);
        }
        if (part.TryGetProperty("const", out var only)) types |= OfValue(only);
        if (part.TryGetProperty("enum", out var values))
        {
            foreach (var value in Items(values)) types |= OfValue(value);
        }
        if (Follow(part) is { } target) types |= Of(target, depth + 1);
        foreach (var choice in choices)
        {
            if (!part.TryGetProperty(choice, out var parts)) continue;
            foreach (var one in Items(parts))
            {
                var more = Of(one, depth + 1);
                // What is one of several and names no type may be text; a part of a whole that names none says nothing.
                types |= more == ValueTypes.None && choice != "allOf" && !IsReference(one) ? ValueTypes.String : more;
            }
        }
        if (types == ValueTypes.None) types = Implied(part);
        if (part.TryGetProperty("nullable", out var nullable) && nullable.ValueKind == JsonValueKind.True)
            types |= types == ValueTypes.None ? ValueTypes.Null | ValueTypes.String : ValueTypes.Null;
        return types;
    }

    private static ValueTypes Implied(JsonElement part)
    {
        if (Has("prefixItems") || Has("items")) return ValueTypes.Array;
        return Has("properties") || Has("additionalProperties") || Has("patternProperties") ? ValueTypes.Object : ValueTypes.None;

        bool Has(string keyword) => part.TryGetProperty(keyword, out _);
    }

    // Where a schema refers to: in the parameters' own schema, or, since some put definitions there, in what is around it.
    private JsonElement? Follow(JsonElement part)
    {
        if (!part.TryGetProperty("$ref", out var reference) || reference.ValueKind != JsonValueKind.String) return null;
        var pointer = reference.GetString()!;
        if (!followed.Add(pointer)) return null;
        return SchemaPointer.Find(schema, pointer) ?? SchemaPointer.Find(function, pointer) ?? SchemaPointer.Find(tool, pointer);
    }

    private static bool IsReference(JsonElement part) => part.ValueKind == JsonValueKind.Object && part.TryGetProperty("$ref", out _);

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
        _ => value.ValueEquals("None") ? ValueTypes.String | ValueTypes.NoneIsText : ValueTypes.String,
    };
}
