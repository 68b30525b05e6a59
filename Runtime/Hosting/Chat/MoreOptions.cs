using System.Text.Json;
using Microsoft.Extensions.AI;
using Quilt.Runtime;
using Quilt.Runtime.Sampling;

namespace Quilt.Hosting.Chat;

/// <summary>
/// What vLLM's API has and ChatOptions has not: read from their AdditionalProperties under the API's own names. Values may come as .NET's types or as
/// JSON; a name that is not known is another provider's and does not count.
/// </summary>
internal sealed class MoreOptions(AdditionalPropertiesDictionary? properties)
{
    /// <summary>These on top of others.</summary>
    /// <exception cref="ArgumentException">A value is of the wrong kind; the message names it.</exception>
    public SamplingOptions Over(SamplingOptions below) => below with
    {
        MinP = Number("min_p") ?? below.MinP,
        RepetitionPenalty = Number("repetition_penalty") ?? below.RepetitionPenalty,
        MinTokens = Whole("min_tokens") ?? below.MinTokens,
        IgnoreEos = Flag("ignore_eos") ?? below.IgnoreEos,
        IncludeStop = Flag("include_stop_str_in_output") ?? below.IncludeStop,
        StopTokens = List("stop_token_ids", Whole) ?? below.StopTokens,
        AllowedTokens = List("allowed_token_ids", Whole) ?? below.AllowedTokens,
        LogitBias = Bias() ?? below.LogitBias,
        ThinkingBudget = Whole("thinking_token_budget") ?? below.ThinkingBudget,
        RepetitionGuard = Guard() ?? below.RepetitionGuard,
    };

    /// <summary>These on top of others.</summary>
    /// <exception cref="ArgumentException">A value is of the wrong kind; the message names it.</exception>
    public GenerationRequest Over(GenerationRequest below) => below with
    {
        CacheSalt = Text("cache_salt") ?? below.CacheSalt,
        Priority = Whole("priority") ?? below.Priority,
        TruncatePrompt = Whole("truncate_prompt_tokens") ?? below.TruncatePrompt,
        Output = Output() ?? below.Output,
    };

    /// <summary>Variables of the template: chat_template_kwargs, reasoning_effort and documents.</summary>
    public IEnumerable<KeyValuePair<string, JsonElement>> Variables()
    {
        foreach (var name in (string[])["reasoning_effort", "documents"])
        {
            if (Find(name) is { } value) yield return new(name, value);
        }
        if (Find("chat_template_kwargs") is not { } variables) yield break;
        if (variables.ValueKind != JsonValueKind.Object) throw Bad("chat_template_kwargs", "an object", variables);
        foreach (var variable in variables.EnumerateObject()) yield return new(variable.Name, variable.Value);
    }

    /// <summary>A truth by its name; null where it is not given.</summary>
    public bool? Flag(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        { } other => throw Bad(name, "true or false", other),
    };

    private StructuredOutput? Output()
    {
        if (Find("structured_outputs") is not { } form) return null;
        if (form.ValueKind != JsonValueKind.Object) throw Bad("structured_outputs", "an object", form);
        StructuredOutput?[] given =
        [
            .. form.EnumerateObject().Where(part => part.Value.ValueKind != JsonValueKind.Null).Select(part => part.Name switch
            {
                "regex" => StructuredOutput.Regex(Text("structured_outputs.regex", part.Value)),
                "choice" => StructuredOutput.Choice(List("structured_outputs.choice", part.Value, Text)),
                "grammar" => StructuredOutput.Ebnf(Text("structured_outputs.grammar", part.Value)),
                "structural_tag" => StructuredOutput.StructuralTag(Source(part.Value)),
                "json" => StructuredOutput.JsonSchema(Source(part.Value)),
                "json_object" when part.Value.ValueKind == JsonValueKind.True => StructuredOutput.Json,
                _ => null,
            }).Where(one => one is not null),
        ];
        return given is [var only]
            ? only
            : throw new ArgumentException($"structured_outputs: expected one of json, json_object, regex, choice, grammar, structural_tag, " +
                $"found {given.Length}.");
    }

    // A schema comes as an object, or as its text.
    private static string Source(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();

    private Dictionary<int, float>? Bias()
    {
        if (Find("logit_bias") is not { } bias) return null;
        if (bias.ValueKind != JsonValueKind.Object) throw Bad("logit_bias", "an object", bias);
        var read = new Dictionary<int, float>();
        foreach (var one in bias.EnumerateObject())
        {
            if (!int.TryParse(one.Name, System.Globalization.CultureInfo.InvariantCulture, out var id) || one.Value.ValueKind != JsonValueKind.Number)
                throw Bad("logit_bias", "numbers by token id", one.Value);
            read[id] = one.Value.GetSingle();
        }
        return read;
    }

    private RepetitionGuard? Guard()
    {
        if (Find("repetition_detection") is not { } guard) return null;
        if (guard.ValueKind != JsonValueKind.Object) throw Bad("repetition_detection", "an object", guard);
        var defaults = new RepetitionGuard();
        return new()
        {
            MaxPatternSize = Part("max_pattern_size") ?? defaults.MaxPatternSize,
            MinPatternSize = Part("min_pattern_size") ?? defaults.MinPatternSize,
            MinCount = Part("min_count") ?? defaults.MinCount,
        };

        int? Part(string name) => guard.TryGetProperty(name, out var value) ? Whole($"repetition_detection.{name}", value) : null;
    }

    private double? Number(string name) =>
        Find(name) is not { } value ? null : value.ValueKind == JsonValueKind.Number ? value.GetDouble() : throw Bad(name, "a number", value);

    private int? Whole(string name) => Find(name) is { } value ? Whole(name, value) : null;

    private string? Text(string name) => Find(name) is { } value ? Text(name, value) : null;

    private T[]? List<T>(string name, Func<string, JsonElement, T> read) => Find(name) is { } value ? List(name, value, read) : null;

    private static int Whole(string name, JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var whole) ? whole : throw Bad(name, "a whole number", value);

    private static string Text(string name, JsonElement value) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Bad(name, "a text", value);

    private static T[] List<T>(string name, JsonElement value, Func<string, JsonElement, T> read) =>
        value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray().Select(one => read(name, one))] : throw Bad(name, "a list", value);

    private JsonElement? Find(string name)
    {
        if (properties is null || !properties.TryGetValue(name, out var value) || value is null) return null;
        var element = value is JsonElement json ? json : ToElement(name, value);
        return element.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined ? null : element;
    }

    private static JsonElement ToElement(string name, object value)
    {
        try
        {
            return JsonSerializer.SerializeToElement(value, AIJsonUtilities.DefaultOptions.GetTypeInfo(value.GetType()));
        }
        catch (Exception e) when (e is JsonException or NotSupportedException or InvalidOperationException or ArgumentException)
        {
            throw new ArgumentException($"{name}: expected a value that can be written as JSON, found {value.GetType().Name}.", e);
        }
    }

    private static ArgumentException Bad(string name, string expected, JsonElement found) =>
        new($"{name}: expected {expected}, found {(found.ValueKind is JsonValueKind.Object or JsonValueKind.Array ? found.ValueKind : Cut(found))}.");

    private static string Cut(JsonElement found) => found.GetRawText() is { Length: > 60 } text ? $"{text[..60]}…" : found.GetRawText();
}
