using System.Text.Json;

namespace Quilt.Formats.Grammars.Json;

/// <summary>Reads what a schema says of numbers; of <c>exclusiveMinimum</c> and <c>exclusiveMaximum</c> both forms, a bound or true.</summary>
internal sealed class NumberReader(SchemaNode schema)
{
    public NumberLimits Read()
    {
        var limits = new NumberLimits();
        if (Bound("minimum") is { } least) limits = limits.Merge(new(Least: least, LeastIsOut: IsTrue("exclusiveMinimum")));
        if (Bound("exclusiveMinimum") is { } above) limits = limits.Merge(new(Least: above, LeastIsOut: true));
        if (Bound("maximum") is { } most) limits = limits.Merge(new(Most: most, MostIsOut: IsTrue("exclusiveMaximum")));
        if (Bound("exclusiveMaximum") is { } below) limits = limits.Merge(new(Most: below, MostIsOut: true));
        if (Bound("multipleOf") is not { } step) return limits;
        return step > default(JsonDecimal) ? limits.Merge(new(Step: step)) : throw schema.Refusal("multipleOf", "expected a number above 0");
    }

    private JsonDecimal? Bound(string keyword) =>
        schema.Element.TryGetProperty(keyword, out var value) && value.ValueKind is not (JsonValueKind.True or JsonValueKind.False)
            ? schema.Decimal(keyword, value)
            : null;

    private bool IsTrue(string keyword) => schema.Element.TryGetProperty(keyword, out var value) && value.ValueKind == JsonValueKind.True;
}
