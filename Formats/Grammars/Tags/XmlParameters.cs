using System.Text.Json;
using Quilt.Formats.Grammars.Notations;

namespace Quilt.Formats.Grammars.Tags;

/// <summary>
/// The properties of an object as models write the parameters of a call in XML: texts as they are, other values as JSON. In the schema's order; those
/// that are not required may be left out.
/// </summary>
internal sealed class XmlParameters
{
    private const string End = "</parameter>";
    private static readonly GrammarNode Space = new Repeat(Nodes.AnyOf(" \t\r\n"), 0, JsonGrammarOptions.MaxWhiteSpace);
    private static readonly GrammarNode AnyName =
        new Repeat(new CodePoint(CodePointSet.Of(('-', '.'), ('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z'))), 1, 64);
    private readonly JsonElement schema;
    private readonly Func<string, GrammarNode> readSchema;
    private readonly TagJson place;
    private readonly (string Before, string After) tag;

    private XmlParameters(JsonElement schema, string style, Func<string, GrammarNode> readSchema, TagJson place)
    {
        (this.schema, this.readSchema, this.place) = (schema, readSchema, place);
        tag = style switch
        {
            "qwen_xml" => ("<parameter=", ">"),
            "minimax_xml" => ("<parameter name=\"", "\">"),
            _ => throw place.Bad("style", $"'{style}' is not supported"),
        };
    }

    /// <summary>Reads a schema.</summary>
    /// <param name="schema">An object's schema.</param>
    /// <param name="style">qwen_xml or minimax_xml.</param>
    /// <param name="readSchema">What makes a node of another schema's text.</param>
    /// <param name="place">Where it stands, for complaints.</param>
    /// <exception cref="BadInputException">It is no object's schema, or not supported.</exception>
    public static GrammarNode Read(JsonElement schema, string style, Func<string, GrammarNode> readSchema, TagJson place) =>
        new XmlParameters(schema, style, readSchema, place).ReadObject();

    private GrammarNode ReadObject()
    {
        if (schema.ValueKind != JsonValueKind.Object 
            || schema.TryGetProperty("type", out var type) && !(type.ValueKind == JsonValueKind.String && type.ValueEquals("object")))
            throw place.Bad("json_schema", "the schema of an object is expected");
        // The schema must be one that is understood in JSON too.
        readSchema(schema.GetRawText());
        foreach (var key in schema.EnumerateObject())
        {
            if (key.Name is "type" or "properties" or "required" or "additionalProperties" 
                or "$defs" or "definitions" or "title" or "description" or "$schema" or "$id")
                continue;
            throw place.Bad($"json_schema/{key.Name}", "is not supported in this style");
        }
        var required = schema.TryGetProperty("required", out var names)
            ? names.EnumerateArray().Select(name => name.GetString()!).ToHashSet(StringComparer.Ordinal)
            : [];
        if (!schema.TryGetProperty("properties", out var properties))
            return new Sequence([Space, new Repeat(Parameter(AnyName, FreeText.Until(End, [End])), 0, null)]);
        var items = new List<GrammarNode> { Space };
        foreach (var property in properties.EnumerateObject())
        {
            if (property.Name.AsSpan().IndexOfAny("<>\"\n\r") >= 0)
                throw place.Bad($"json_schema/properties/{property.Name}", "the name cannot stand in a tag");
            var parameter = Parameter(Nodes.Text(property.Name), Value(property.Value));
            items.Add(required.Remove(property.Name) ? parameter : Nodes.Optional(parameter));
        }
        if (required.Count > 0) throw place.Bad($"json_schema/required", $"'{required.First()}' is no property");
        return new Sequence([.. items]);
    }

    private Sequence Parameter(GrammarNode name, GrammarNode value) =>
        new([Nodes.Text(tag.Before), name, Nodes.Text(tag.After), value, Space]);

    // A value with the tag's end behind it.
    private GrammarNode Value(JsonElement value)
    {
        var end = Nodes.Text(End);
        if (value.ValueKind == JsonValueKind.Object && Literals(value) is { } literals) return new Sequence([literals, end]);
        if (!IsText(value)) return new Sequence([Space, readSchema(Standalone(value)), Space, end]);
        var until = FreeText.Until(End, [End]);
        var limits = new List<GrammarNode>();
        foreach (var key in value.EnumerateObject())
        {
            switch (key.Name)
            {
                case "pattern":
                    limits.Add(RegexReader.Read(key.Value.GetString()!, search: true, source: "pattern"));
                    break;
                case "minLength" or "maxLength":
                    break;
                case "type" or "title" or "description" or "default" or "examples":
                    break;
                default: throw place.Bad($"json_schema/properties/…/{key.Name}", "is not supported for a text in this style");
            }
        }
        int least = Count(value, "minLength") ?? 0;
        if (least > 0 || value.TryGetProperty("maxLength", out _))
            limits.Add(new Repeat(new CodePoint(CodePointSet.Any), least, Count(value, "maxLength")));
        return limits.Count == 0 ? until : new All([until, .. limits.Select(limit => new Sequence([limit, end]))]);
    }

    private int? Count(JsonElement value, string key) => !value.TryGetProperty(key, out var count) ? null
        : count.TryGetInt32(out var number) && number is >= 0 and <= 1000 ? number
        : throw place.Bad($"json_schema/properties/…/{key}", "a length up to 1000 is expected in this style");

    private static bool IsText(JsonElement value) => value.ValueKind == JsonValueKind.Object && value.TryGetProperty("type", out var type)
        && type.ValueKind == JsonValueKind.String && type.ValueEquals("string");

    // Values of an enumeration: texts without quotes.
    private static Choice? Literals(JsonElement value)
    {
        var values = value.TryGetProperty("enum", out var list) && list.ValueKind == JsonValueKind.Array ? list.EnumerateArray().ToArray()
            : value.TryGetProperty("const", out var one) ? [one]
            : null;
        if (values is null || !Array.TrueForAll(values, item => item.ValueKind == JsonValueKind.String)) return null;
        return new Choice([.. values.Select(item => Nodes.Text(item.GetString()!))]);
    }

    // A property's schema with the definitions that it may refer to.
    private string Standalone(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object) return value.GetRawText();
        using var json = new MemoryStream();
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            foreach (var key in value.EnumerateObject()) key.WriteTo(writer);
            foreach (var shared in new[] { "$defs", "definitions" })
                if (schema.TryGetProperty(shared, out var definitions) && !value.TryGetProperty(shared, out _))
                {
                    writer.WritePropertyName(shared);
                    definitions.WriteTo(writer);
                }
            writer.WriteEndObject();
        }
        return Grammar.Strict.GetString(json.ToArray());
    }
}
