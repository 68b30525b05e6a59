using System.Collections.Immutable;
using System.Text.Json;

namespace Quilt.Formats.Grammars.Json;

/// <summary>Reads what a schema says of objects.</summary>
internal sealed class ObjectReader(SchemaDocument document, SchemaNode schema)
{
    /// <summary>Null where it says nothing.</summary>
    public ObjectLimits? Read()
    {
        var properties = new OrderedDictionary<string, Goal>(StringComparer.Ordinal);
        var (patterns, others) = (ImmutableArray<NamePattern>.Empty, (Goal?)null);
        var limits = ObjectLimits.Any;
        var (isListing, isPart, isSaid) = (false, false, false);
        foreach (var (keyword, value) in schema.Element.EnumerateObject().Select(p => (p.Name, p.Value)))
        {
            isSaid |= keyword is "required" or "minProperties" or "maxProperties" or "propertyNames";
            switch (keyword)
            {
                case "properties":
                    isListing = isPart = true;
                    foreach (var property in schema.Expect(keyword, value, JsonValueKind.Object).EnumerateObject())
                        properties[property.Name] = Goal.Of(document.Child(schema, property.Value, keyword, property.Name));
                    break;
                case "patternProperties":
                    isListing = isPart = true;
                    patterns = Patterns(value);
                    break;
                case "additionalProperties":
                    isPart = true;
                    others = Goal.Of(document.Child(schema, value, keyword));
                    break;
                case "required" when value.ValueKind is not (JsonValueKind.True or JsonValueKind.False):
                    limits = limits with { Required = [.. schema.Names(keyword, value).Distinct(StringComparer.Ordinal)] };
                    break;
                case "minProperties": limits = limits with { Least = schema.Count(keyword, value) }; break;
                case "maxProperties": limits = limits with { Most = schema.Count(keyword, value) }; break;
                case "propertyNames": limits = limits with { Names = [Goal.Of(document.Child(schema, value, keyword))] }; break;
            }
        }
        if (isPart) limits = limits with { Parts = [new(properties, patterns, others, isListing)] };
        return isPart || isSaid ? limits : null;
    }

    private ImmutableArray<NamePattern> Patterns(JsonElement value) =>
        [.. schema.Expect("patternProperties", value, JsonValueKind.Object).EnumerateObject().Select(property => new NamePattern(
            SchemaPattern.Read(property.Name, $"{schema.Pointer}/patternProperties"),
            Goal.Of(document.Child(schema, property.Value, "patternProperties", property.Name)),
            document.Budget))];
}
