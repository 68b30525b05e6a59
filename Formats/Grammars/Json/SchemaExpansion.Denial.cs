using System.Text.Json;

namespace Quilt.Formats.Grammars.Json;

/// <summary>What a value is that does not meet a schema: it fails one of its keywords, which each speak of some types.</summary>
internal sealed partial class SchemaExpansion
{
    private List<Shape> Deny(SchemaNode schema)
    {
        var shapes = new List<Shape>();
        var own = new SchemaKeywords(document, schema).Own;
        foreach (var (keyword, value) in schema.Element.EnumerateObject().Select(p => (p.Name, p.Value)))
        {
            Add(schema, shapes, [.. (keyword switch
            {
                "$ref" => Expand(document.Resolve(schema, schema.Text(keyword, value)), true),
                "allOf" => AnyOf(schema, keyword, value, isDenied: true),
                "anyOf" => All(schema, keyword, value, isDenied: true),
                "not" => Expand(document.Child(schema, value, keyword), false),
                "if" => Conditional(schema, value, isDenied: true),
                "oneOf" or "dependentRequired" or "dependentSchemas" or "dependencies" => [Unknown(schema, keyword, JsonTypes.Any)],
                _ => DenyOwn(schema, own, keyword, value),
            }).Select(shape => shape.Settle()).OfType<Shape>()]);
        }
        return shapes;
    }

    private IEnumerable<Shape> DenyOwn(SchemaNode schema, Shape own, string keyword, JsonElement value)
    {
        switch (keyword)
        {
            case "type": return own.Types == JsonTypes.Any ? [] : [new() { Types = JsonTypes.Any & ~own.Types }];
            case "enum": return Except([.. value.EnumerateArray().Select(SchemaValue.Of)], schema, keyword);
            case "const": return Except([SchemaValue.Of(value)], schema, keyword);
            case "minimum" or "exclusiveMinimum" when own.Numbers!.Least is { } least:
                return [Numbers(new(Most: least, MostIsOut: !own.Numbers.LeastIsOut))];
            case "maximum" or "exclusiveMaximum" when own.Numbers!.Most is { } most:
                return [Numbers(new(Least: most, LeastIsOut: !own.Numbers.MostIsOut))];
            case "multipleOf": return [Unknown(schema, keyword, JsonTypes.Number)];
            case "minLength": return own.Texts!.LeastLength == 0 ? [] : [Texts(new(0, own.Texts.LeastLength - 1, []))];
            case "maxLength": return own.Texts!.MostLength == int.MaxValue ? [] : [Texts(new(own.Texts.MostLength!.Value + 1, null, []))];
            case "pattern": return [Texts(new(0, null, [new Not(SchemaPattern.Read(value.GetString()!, $"{schema.Pointer}/pattern"))]))];
            case "format": return TextFormats.Find(value.GetString()!) is { } format ? [Texts(new(0, null, [new Not(format)]))] : [];
            case "minItems": return own.Arrays!.Least == 0 ? [] : [Arrays(new([], null, 0, own.Arrays.Least - 1, []))];
            case "maxItems": return own.Arrays!.Most == int.MaxValue ? [] : [Arrays(new([], null, own.Arrays.Most!.Value + 1, null, []))];
            case "required":
                return (own.Objects?.Required ?? []).Select(name => Objects(Without(name)));
            case "minProperties": return own.Objects!.Least == 0 ? [] : [Objects(ObjectLimits.Any with { Most = own.Objects.Least - 1 })];
            case "maxProperties": return [Objects(ObjectLimits.Any with { Least = Math.Max(own.Objects!.Most!.Value, own.Objects.Most.Value + 1) })];
            case "properties":
                return value.EnumerateObject().Select(property =>
                    ObjectWith(property.Name, Goal.Of(document.Child(schema, property.Value, keyword, property.Name), isDenied: true)));
            case "additionalProperties" or "unevaluatedProperties" or "propertyNames" or "items" or "additionalItems" or "unevaluatedItems"
                when value.ValueKind == JsonValueKind.True || (value.ValueKind == JsonValueKind.Object && !value.EnumerateObject().Any()):
                return [];
            case "patternProperties" or "additionalProperties" or "unevaluatedProperties" or "propertyNames":
                return [Unknown(schema, keyword, JsonTypes.Object)];
            case "items" or "prefixItems" or "additionalItems" or "unevaluatedItems" or "contains" or "uniqueItems":
                return [Unknown(schema, keyword, JsonTypes.Array)];
            case "$dynamicRef" or "$recursiveRef": return [Unknown(schema, keyword, JsonTypes.Any)];
            default: return [];
        }
    }

    // Booleans and null by type, strings as texts, numbers by what is below, between and above.
    private static List<Shape> Except(List<SchemaValue> values, SchemaNode schema, string keyword)
    {
        var types = JsonTypes.Any & ~JsonTypes.Number & ~JsonTypes.String;
        foreach (var value in values) types &= ~(value.Type & (JsonTypes.Null | JsonTypes.Boolean));
        var shapes = new List<Shape>();
        var nested = values.Aggregate(JsonTypes.None, (all, value) => all | (value.Type & (JsonTypes.Array | JsonTypes.Object)));
        if (nested != JsonTypes.None) shapes.Add(Unknown(schema, keyword, nested));
        types &= ~nested;
        if (types != JsonTypes.None) shapes.Add(new() { Types = types });
        var texts = values.Where(value => value.Type == JsonTypes.String).Select(value => Nodes.Text(value.Element.GetString()!)).ToArray();
        shapes.Add(texts.Length == 0 ? new() { Types = JsonTypes.String } : Texts(new(0, null, [new Not(Nodes.OneOf(texts))])));
        var numbers = values.Where(value => (value.Type & JsonTypes.Number) != 0).ToList();
        if (numbers.Any(value => value.Number is null)) shapes.Add(Unknown(schema, keyword, JsonTypes.Number));
        else
        {
            JsonDecimal? last = null;
            foreach (var number in numbers.Select(value => value.Number!.Value).Order())
            {
                shapes.Add(Numbers(new(last, true, number, true)));
                last = number;
            }
            shapes.Add(last is null ? new() { Types = JsonTypes.Number } : Numbers(new(last, true)));
        }
        return shapes;
    }

    private static Shape Numbers(NumberLimits limits) => new() { Types = JsonTypes.Number, Numbers = limits };

    private static Shape Texts(TextLimits limits) => new() { Types = JsonTypes.String, Texts = limits };

    private static Shape Arrays(ArrayLimits limits) => new() { Types = JsonTypes.Array, Arrays = limits };

    // Some values of these types, nobody knows which.
    private static Shape Unknown(SchemaNode schema, string keyword, JsonTypes types) => new()
    {
        Types = types,
        Obstacles = [new(types, $"{schema.Pointer}/{keyword}", "cannot be denied, as not or oneOf here demand")],
    };
}
