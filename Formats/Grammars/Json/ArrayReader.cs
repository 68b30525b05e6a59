using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;

namespace Quilt.Formats.Grammars.Json;

/// <summary>Reads what a schema says of lists; first items stand under <c>prefixItems</c>, in older drafts under <c>items</c>.</summary>
internal sealed class ArrayReader(SchemaDocument document, SchemaNode schema)
{
    /// <summary>Null where it says nothing.</summary>
    public ArrayLimits? Read()
    {
        var (first, rest, least, most) = (ImmutableArray<Goal>.Empty, (Goal?)null, 0, (int?)null);
        var contains = ImmutableArray<Goal>.Empty;
        var isSaid = false;
        foreach (var (keyword, value) in schema.Element.EnumerateObject().Select(p => (p.Name, p.Value)))
        {
            var isOf = true;
            switch (keyword)
            {
                case "prefixItems": first = List(keyword, value); break;
                case "items" when value.ValueKind == JsonValueKind.Array: first = List(keyword, value); break;
                case "items": rest = Goal.Of(document.Child(schema, value, keyword)); break;
                case "additionalItems" when schema.Element.TryGetProperty("items", out var items) && items.ValueKind == JsonValueKind.Array:
                    rest = Goal.Of(document.Child(schema, value, keyword));
                    break;
                case "minItems": least = schema.Count(keyword, value); break;
                case "maxItems": most = schema.Count(keyword, value); break;
                case "contains": contains = Contains(value); break;
                default: isOf = false; break;
            }
            isSaid |= isOf;
        }
        return isSaid ? new(first, rest, least, most, contains) : null;
    }

    private ImmutableArray<Goal> List(string keyword, JsonElement value) =>
        [.. schema.Expect(keyword, value, JsonValueKind.Array).EnumerateArray()
            .Select((item, i) => Goal.Of(document.Child(schema, item, keyword, i.ToString(CultureInfo.InvariantCulture))))];

    private ImmutableArray<Goal> Contains(JsonElement value)
    {
        if (schema.Element.TryGetProperty("maxContains", out _)) throw schema.Refusal("maxContains", "is not supported");
        var least = schema.Element.TryGetProperty("minContains", out var count) ? schema.Count("minContains", count) : 1;
        if (least > 1) throw schema.Refusal("minContains", $"expected 0 or 1, found {least}");
        return least == 0 ? [] : [Goal.Of(document.Child(schema, value, "contains"))];
    }
}
