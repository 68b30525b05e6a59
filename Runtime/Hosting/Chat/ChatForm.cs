using System.Text.Json;
using Microsoft.Extensions.AI;
using Quilt.Formats.Grammars;
using Quilt.Runtime;

namespace Quilt.Hosting.Chat;

/// <summary>The form of a reply: ChatOptions' ResponseFormat, or vLLM's <c>structured_outputs</c>, which also says how JSON is written.</summary>
internal static class ChatForm
{
    private const string Name = "structured_outputs";

    /// <summary>The form; null: any.</summary>
    /// <param name="format">What ChatOptions say.</param>
    /// <param name="more">structured_outputs; null: not given.</param>
    /// <exception cref="ArgumentException">It is none, or there are several; the message names it.</exception>
    public static StructuredOutput? Of(ChatResponseFormat? format, JsonElement? more)
    {
        var written = new JsonGrammarOptions();
        var forms = new List<StructuredOutput>();
        var parts = more is { } given ? JsonValues.Object(Name, given).EnumerateObject().ToArray() : [];
        parts = [.. parts.Where(part => part.Value.ValueKind != JsonValueKind.Null)];
        foreach (var part in parts)
        {
            var name = $"{Name}.{part.Name}";
            written = part.Name switch
            {
                "disable_any_whitespace" => written with { DisableAnyWhitespace = JsonValues.Flag(name, part.Value) },
                "disable_additional_properties" => written with { DisableAdditionalProperties = JsonValues.Flag(name, part.Value) },
                "whitespace_pattern" => written with { WhitespacePattern = JsonValues.Text(name, part.Value) },
                _ => written,
            };
        }
        foreach (var part in parts)
        {
            var name = $"{Name}.{part.Name}";
            var form = part.Name switch
            {
                "json" => StructuredOutput.JsonSchema(Source(part.Value), written),
                "json_object" => JsonValues.Flag(name, part.Value) ? StructuredOutput.Json : null,
                "regex" => StructuredOutput.Regex(JsonValues.Text(name, part.Value)),
                "choice" => StructuredOutput.Choice(JsonValues.List(name, part.Value, JsonValues.Text)),
                "grammar" => StructuredOutput.Ebnf(JsonValues.Text(name, part.Value)),
                "structural_tag" => StructuredOutput.StructuralTag(Source(part.Value), written),
                _ => null,
            };
            if (form is not null) forms.Add(form);
        }
        if (format is ChatResponseFormatJson json)
            forms.Add(json.Schema is { } schema ? StructuredOutput.JsonSchema(schema.GetRawText(), written) : StructuredOutput.Json);
        return forms.Count <= 1
            ? forms.SingleOrDefault()
            : throw new ArgumentException($"ResponseFormat, {Name}: expected at most one form, found {forms.Count}.");
    }

    // A schema comes as an object, or as its text.
    private static string Source(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();
}
