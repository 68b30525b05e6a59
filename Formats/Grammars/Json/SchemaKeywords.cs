using System.Collections.Immutable;
using System.Text.Json;

namespace Quilt.Formats.Grammars.Json;

/// <summary>
/// The keywords of one schema: what it demands itself as a shape, and the keywords that combine schemas, in order. Keywords that are not known are
/// annotations, as the specification has it.
/// </summary>
internal sealed class SchemaKeywords
{
    private readonly SchemaDocument document;
    private readonly SchemaNode schema;
    private readonly List<string> order = [];

    public SchemaKeywords(SchemaDocument document, SchemaNode schema)
    {
        (this.document, this.schema) = (document, schema);
        var own = Shape.Any;
        foreach (var keyword in schema.Element.EnumerateObject())
        {
            order.Add(keyword.Name);
            own = Read(own, keyword.Name, keyword.Value);
        }
        if (Has("minimum") || Has("maximum") || Has("exclusiveMinimum") || Has("exclusiveMaximum") || Has("multipleOf"))
            own = own with { Numbers = new NumberReader(schema).Read() };
        if (Has("minLength") || Has("maxLength") || Has("pattern") || Has("format")) own = own with { Texts = Texts() };
        if (new ArrayReader(document, schema).Read() is { } arrays) own = own with { Arrays = arrays };
        if (new ObjectReader(document, schema).Read() is { } objects) own = own with { Objects = objects };
        Own = own;
    }

    /// <summary>What the schema demands itself; not settled.</summary>
    public Shape Own { get; }

    /// <summary>Keywords that combine schemas, in order, with their values.</summary>
    public List<KeyValuePair<string, JsonElement>> Combining { get; } = [];

    /// <summary>Whether the schema names its properties before a keyword.</summary>
    public bool OwnComesBefore(string keyword)
    {
        var own = order.IndexOf("properties");
        return own < 0 || own < order.IndexOf(keyword);
    }

    private Shape Read(Shape own, string keyword, JsonElement value)
    {
        switch (keyword)
        {
            case "type":
                return own with { Types = own.Types & Types(schema, value) };
            case "enum":
                var values = schema.Expect(keyword, value, JsonValueKind.Array).EnumerateArray().Select(SchemaValue.Of);
                return own with { Values = own.Values is null ? new(values) : own.Values.Intersect(new(values)) };
            case "const":
                var one = new ValueSet([SchemaValue.Of(value)]);
                return own with { Values = own.Values is null ? one : own.Values.Intersect(one) };
            case "allOf" or "anyOf" or "oneOf" or "not" or "if" or "$ref" or "dependentRequired" or "dependentSchemas" or "dependencies"
                or "$dynamicRef" or "$recursiveRef":
                Combining.Add(new(keyword, value));
                return own;
            case "uniqueItems" when value.ValueKind == JsonValueKind.True:
                return Obstacle(own, JsonTypes.Array, keyword, "cannot be held to while a list is written");
            case "unevaluatedItems" when value.ValueKind != JsonValueKind.True:
                return Obstacle(own, JsonTypes.Array, keyword, "is not supported");
            case "unevaluatedProperties" when value.ValueKind != JsonValueKind.True:
                return Obstacle(own, JsonTypes.Object, keyword, "is not supported");
            default:
                return own;
        }
    }

    private Shape Obstacle(Shape own, JsonTypes types, string keyword, string reason) =>
        own with { Obstacles = own.Obstacles.Add(new(types, $"{schema.Pointer}/{keyword}", reason)) };

    private bool Has(string keyword) => schema.Element.TryGetProperty(keyword, out _);

    private static JsonTypes Types(SchemaNode schema, JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.String) return Type(schema, value.GetString()!);
        if (schema.Expect("type", value, JsonValueKind.Array).GetArrayLength() == 0) throw schema.Refusal("type", "expected a type at least");
        return value.EnumerateArray().Aggregate(JsonTypes.None, (types, name) => types | Type(schema, schema.Text("type", name)));
    }

    private static JsonTypes Type(SchemaNode schema, string name) => name switch
    {
        "null" => JsonTypes.Null,
        "boolean" => JsonTypes.Boolean,
        "integer" => JsonTypes.Integer,
        "number" => JsonTypes.Number,
        "string" => JsonTypes.String,
        "array" => JsonTypes.Array,
        "object" => JsonTypes.Object,
        _ => throw schema.Refusal("type", $"expected null, boolean, integer, number, string, array or object, found \"{name}\""),
    };

    private TextLimits Texts()
    {
        var forms = ImmutableArray.CreateBuilder<GrammarNode>();
        if (schema.Element.TryGetProperty("pattern", out var pattern))
            forms.Add(SchemaPattern.Read(schema.Text("pattern", pattern), $"{schema.Pointer}/pattern"));
        if (schema.Element.TryGetProperty("format", out var format) && TextFormats.Find(schema.Text("format", format)) is { } form) forms.Add(form);
        return new(
            schema.Element.TryGetProperty("minLength", out var least) ? schema.Count("minLength", least) : 0,
            schema.Element.TryGetProperty("maxLength", out var most) ? schema.Count("maxLength", most) : null,
            forms.ToImmutable());
    }
}
