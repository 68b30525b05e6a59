using System.Text.Json;
using Quilt.Formats.Grammars;
using Quilt.Hosting.Http;
using Quilt.Runtime;

namespace Quilt.Hosting.OpenAi;

/// <summary>What form a request wants its reply in: <c>response_format</c>, or vLLM's <c>structured_outputs</c>.</summary>
internal static class OutputFields
{
    private const int MostChoices = 1 << 16;
    private static readonly string[] Kinds = ["json", "regex", "choice", "grammar", "json_object", "structural_tag"];

    /// <summary>Reads it; null: any form.</summary>
    /// <exception cref="ApiException">It is none that can be held to.</exception>
    public static StructuredOutput? Read(Fields body)
    {
        var format = Format(body);
        var structured = Structured(body);
        return format is not null && structured is not null
            ? throw ApiException.Bad("You can only use one kind of constraints for structured outputs: response_format or structured_outputs.")
            : structured ?? format;
    }

    private static StructuredOutput? Format(Fields body)
    {
        if (body.Object("response_format") is not { } format) return null;
        switch (format.Text("type"))
        {
            case null or "text":
                return null;
            case "json_object":
                return StructuredOutput.Json;
            case "json_schema":
                // {"json_schema": {"name", "schema", "strict"}}; the Responses API has the schema beside the type.
                var holder = format.Object("json_schema") ?? format;
                return holder.Any("schema") is { } schema
                    ? StructuredOutput.JsonSchema(schema.GetRawText())
                    : throw ApiException.Bad($"{holder.PathOf("schema")}: expected a JSON schema, found none.", "response_format");
            case "structural_tag":
                return StructuredOutput.StructuralTag(format.Element.GetRawText());
            case var other:
                throw ApiException.Bad("response_format: expected a type of text, json_object, json_schema or structural_tag, found " +
                    $"{Fields.Shown(other)}.", "response_format");
        }
    }

    private static StructuredOutput? Structured(Fields body)
    {
        if (body.Object("structured_outputs") is not { } given) return null;
        var kinds = Kinds.Where(kind => given.Any(kind) is { } value && value.ValueKind != JsonValueKind.False).ToArray();
        if (kinds.Length == 0) return null;
        if (kinds.Length > 1)
            throw ApiException.Bad($"You can only use one kind of constraints for structured outputs, found {string.Join(", ", kinds)}.");
        var options = new JsonGrammarOptions
        {
            DisableAnyWhitespace = given.Flag("disable_any_whitespace") ?? false,
            DisableAdditionalProperties = given.Flag("disable_additional_properties") ?? false,
            WhitespacePattern = given.Text("whitespace_pattern"),
        };
        return kinds[0] switch
        {
            "json" => StructuredOutput.JsonSchema(TextOrJson(given.Any("json")!.Value), options),
            "regex" => StructuredOutput.Regex(given.Text("regex")!),
            "choice" => StructuredOutput.Choice(given.Texts("choice", MostChoices)!),
            "grammar" => StructuredOutput.Ebnf(given.Text("grammar")!),
            "json_object" => given.Flag("json_object") == true ? StructuredOutput.Json : null,
            _ => StructuredOutput.StructuralTag(TextOrJson(given.Any("structural_tag")!.Value), options),
        };
    }

    private static string TextOrJson(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();
}
