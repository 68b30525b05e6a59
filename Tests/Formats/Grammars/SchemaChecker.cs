using System.Globalization;
using System.Numerics;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Quilt.Tests.Formats.Grammars;

/// <summary>
/// Whether a value meets a JSON schema, by the specification's words and without care for speed. Of keywords only those that the tests use; another
/// one fails the test.
/// </summary>
internal sealed class SchemaChecker(JsonElement root)
{
    /// <summary>Whether a text is JSON and meets the schema.</summary>
    public static bool Accepts(string schema, string text)
    {
        using var root = JsonDocument.Parse(schema);
        try
        {
            using var value = JsonDocument.Parse(text);
            return new SchemaChecker(root.RootElement).Meets(root.RootElement, value.RootElement);
        }
        catch (JsonException)
        {
            return false;
        }
    }

    public bool Meets(JsonElement schema, JsonElement value) => schema.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => schema.EnumerateObject().All(keyword => Meets(schema, keyword.Name, keyword.Value, value)),
    };

    private bool Meets(JsonElement schema, string keyword, JsonElement demand, JsonElement value)
    {
        switch (keyword)
        {
            case "type": return demand.ValueKind == JsonValueKind.String ? Is(demand, value) : demand.EnumerateArray().Any(type => Is(type, value));
            case "enum": return demand.EnumerateArray().Any(one => AreEqual(one, value));
            case "const": return AreEqual(demand, value);
            case "allOf": return demand.EnumerateArray().All(branch => Meets(branch, value));
            case "anyOf": return demand.EnumerateArray().Any(branch => Meets(branch, value));
            case "oneOf": return demand.EnumerateArray().Count(branch => Meets(branch, value)) == 1;
            case "not": return !Meets(demand, value);
            case "$ref": return Meets(Find(demand.GetString()!), value);
            case "if":
                return !schema.TryGetProperty(Meets(demand, value) ? "then" : "else", out var branch) || Meets(branch, value);
            case "then" or "else" or "$defs" or "title" or "description" or "default": return true;
        }
        return value.ValueKind switch
        {
            JsonValueKind.Number => MeetsNumber(keyword, demand, value),
            JsonValueKind.String => MeetsText(keyword, demand, value.GetString()!),
            JsonValueKind.Array => MeetsList(schema, keyword, demand, value),
            JsonValueKind.Object => MeetsObject(schema, keyword, demand, value),
            _ => IsKnown(keyword),
        };
    }

    private static bool IsKnown(string keyword) => keyword is "minimum" or "maximum" or "exclusiveMinimum" or "exclusiveMaximum" or "multipleOf"
        or "minLength" or "maxLength" or "pattern" or "prefixItems" or "items" or "minItems" or "maxItems" or "contains"
        or "properties" or "required" or "additionalProperties" or "minProperties" or "maxProperties" or "patternProperties" or "propertyNames"
        ? true : throw new NotSupportedException(keyword);

    private static bool MeetsNumber(string keyword, JsonElement demand, JsonElement value) => keyword switch
    {
        "minimum" => Number(value) >= Number(demand),
        "maximum" => Number(value) <= Number(demand),
        "exclusiveMinimum" => Number(value) > Number(demand),
        "exclusiveMaximum" => Number(value) < Number(demand),
        "multipleOf" => IsMultiple(value.GetRawText(), demand.GetRawText()),
        _ => IsKnown(keyword),
    };

    private static bool MeetsText(string keyword, JsonElement demand, string value) => keyword switch
    {
        "minLength" => value.EnumerateRunes().Count() >= demand.GetInt32(),
        "maxLength" => value.EnumerateRunes().Count() <= demand.GetInt32(),
        "pattern" => Finds(value, demand.GetString()!),
        _ => IsKnown(keyword),
    };

    private bool MeetsList(JsonElement schema, string keyword, JsonElement demand, JsonElement value)
    {
        var items = value.EnumerateArray().ToArray();
        var first = schema.TryGetProperty("prefixItems", out var prefix) ? prefix.GetArrayLength() : 0;
        return keyword switch
        {
            "prefixItems" => demand.EnumerateArray().Zip(items).All(pair => Meets(pair.First, pair.Second)),
            "items" => items.Skip(first).All(item => Meets(demand, item)),
            "contains" => items.Any(item => Meets(demand, item)),
            "minItems" => items.Length >= demand.GetInt32(),
            "maxItems" => items.Length <= demand.GetInt32(),
            _ => IsKnown(keyword),
        };
    }

    private bool MeetsObject(JsonElement schema, string keyword, JsonElement demand, JsonElement value)
    {
        switch (keyword)
        {
            case "properties":
                return demand.EnumerateObject()
                    .All(property => !value.TryGetProperty(property.Name, out var member) || Meets(property.Value, member));
            case "patternProperties":
                return demand.EnumerateObject().All(pattern => value.EnumerateObject()
                    .All(member => !Finds(member.Name, pattern.Name) || Meets(pattern.Value, member.Value)));
            case "additionalProperties":
                return value.EnumerateObject().All(member => IsListed(schema, member.Name) || Meets(demand, member.Value));
            case "propertyNames":
                return value.EnumerateObject().All(member => Meets(demand, JsonSerializer.SerializeToElement(member.Name)));
            case "required": return demand.EnumerateArray().All(name => value.TryGetProperty(name.GetString()!, out _));
            case "minProperties": return Names(value) >= demand.GetInt32();
            case "maxProperties": return Names(value) <= demand.GetInt32();
            default: return IsKnown(keyword);
        }
    }

    private static bool IsListed(JsonElement schema, string name) =>
        (schema.TryGetProperty("properties", out var properties) && properties.TryGetProperty(name, out _))
        || (schema.TryGetProperty("patternProperties", out var patterns)
            && patterns.EnumerateObject().Any(pattern => Finds(name, pattern.Name)));

    // A schema's characters are code points, .NET's are halves of those above U+FFFF: each counts as one that no pattern here names.
    private static bool Finds(string text, string pattern)
    {
        var points = string.Concat(text.EnumerateRunes().Select(rune => rune.IsBmp ? (char)rune.Value : '\uE000'));
        return Regex.IsMatch(points, pattern, RegexOptions.ECMAScript);
    }

    private static int Names(JsonElement value) => value.EnumerateObject().Select(member => member.Name).Distinct(StringComparer.Ordinal).Count();

    private static bool Is(JsonElement type, JsonElement value) => (type.GetString(), value.ValueKind) switch
    {
        ("null", JsonValueKind.Null) or ("boolean", JsonValueKind.True or JsonValueKind.False) => true,
        ("string", JsonValueKind.String) or ("array", JsonValueKind.Array) or ("object", JsonValueKind.Object) => true,
        ("number", JsonValueKind.Number) => true,
        ("integer", JsonValueKind.Number) => IsWhole(value.GetRawText()),
        _ => false,
    };

    private static bool AreEqual(JsonElement one, JsonElement other) =>
        one.ValueKind == JsonValueKind.Number && other.ValueKind == JsonValueKind.Number
            ? Number(one) == Number(other)
            : JsonElement.DeepEquals(one, other);

    // The tests' numbers have few digits; those that have more are beyond all their bounds.
    private static decimal Number(JsonElement value)
    {
        if (decimal.TryParse(value.GetRawText(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)) return number;
        var real = value.GetDouble();
        return Math.Abs(real) < 1 ? 0 : real > 0 ? decimal.MaxValue : decimal.MinValue;
    }

    // By their digits, however many these are.
    // Digits without a point, times a power of ten: whole if that is none below 1, or the digits end in so many zeros.
    private static bool IsWhole(string text)
    {
        var parts = text.ToLowerInvariant().Split('e');
        var point = parts[0].IndexOf('.', StringComparison.Ordinal);
        var digits = parts[0].Replace(".", "", StringComparison.Ordinal).TrimStart('-');
        var power = BigInteger.Parse(parts.ElementAtOrDefault(1) ?? "0", NumberStyles.Float, CultureInfo.InvariantCulture);
        if (point >= 0) power -= parts[0].Length - point - 1;
        return digits.All(digit => digit == '0') || digits.Length - digits.TrimEnd('0').Length + power >= 0;
    }

    private static bool IsMultiple(string value, string step)
    {
        var scale = Math.Max(Scale(value), Scale(step));
        return (Digits(value, scale) % Digits(step, scale)).IsZero;

        static int Scale(string text) => text.IndexOf('.', StringComparison.Ordinal) is >= 0 and var at ? text.Length - at - 1 : 0;

        static BigInteger Digits(string text, int scale) =>
            BigInteger.Parse(text.Replace(".", "", StringComparison.Ordinal) + new string('0', scale - Scale(text)), CultureInfo.InvariantCulture);
    }

    private JsonElement Find(string pointer) => pointer[1..].Split('/', StringSplitOptions.RemoveEmptyEntries)
        .Aggregate(root, (at, part) => at.GetProperty(part));
}
