using System.Globalization;
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
        MinP = Value("min_p", JsonValues.Number) ?? below.MinP,
        RepetitionPenalty = Value("repetition_penalty", JsonValues.Number) ?? below.RepetitionPenalty,
        MinTokens = Value("min_tokens", JsonValues.Whole) ?? below.MinTokens,
        IgnoreEos = Flag("ignore_eos") ?? below.IgnoreEos,
        IncludeStop = Flag("include_stop_str_in_output") ?? below.IncludeStop,
        StopTokens = Ids("stop_token_ids") ?? below.StopTokens,
        AllowedTokens = Ids("allowed_token_ids") ?? below.AllowedTokens,
        LogitBias = Bias() ?? below.LogitBias,
        ThinkingBudget = Value("thinking_token_budget", JsonValues.Whole) ?? below.ThinkingBudget,
        RepetitionGuard = Guard() ?? below.RepetitionGuard,
    };

    /// <summary>These on top of others.</summary>
    /// <exception cref="ArgumentException">A value is of the wrong kind; the message names it.</exception>
    public GenerationRequest Over(GenerationRequest below) => below with
    {
        CacheSalt = Find("cache_salt") is { } salt ? JsonValues.Text("cache_salt", salt) : below.CacheSalt,
        Priority = Value("priority", JsonValues.Whole) ?? below.Priority,
        TruncatePrompt = Value("truncate_prompt_tokens", JsonValues.Whole) ?? below.TruncatePrompt,
    };

    /// <summary>Variables of the template: reasoning_effort, documents and chat_template_kwargs.</summary>
    public IEnumerable<KeyValuePair<string, JsonElement>> Variables()
    {
        foreach (var name in (string[])["reasoning_effort", "documents"])
        {
            if (Find(name) is { } value) yield return new(name, value);
        }
        if (Find("chat_template_kwargs") is not { } variables) yield break;
        foreach (var variable in JsonValues.Object("chat_template_kwargs", variables).EnumerateObject())
            yield return new(variable.Name, variable.Value);
    }

    /// <summary>A truth by its name; null where it is not given.</summary>
    public bool? Flag(string name) => Value(name, JsonValues.Flag);

    /// <summary>A value by its name, as JSON; null where it is not given, or is null.</summary>
    /// <exception cref="ArgumentException">It cannot be written as JSON.</exception>
    public JsonElement? Find(string name)
    {
        if (properties is null || !properties.TryGetValue(name, out var value) || value is null) return null;
        var element = value is JsonElement json ? json : ToElement(name, value);
        return element.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined ? null : element;
    }

    private Dictionary<int, float>? Bias()
    {
        if (Find("logit_bias") is not { } bias) return null;
        var read = new Dictionary<int, float>();
        foreach (var one in JsonValues.Object("logit_bias", bias).EnumerateObject())
        {
            if (!int.TryParse(one.Name, CultureInfo.InvariantCulture, out var id)) throw JsonValues.Bad("logit_bias", "token ids", bias);
            read[id] = (float)JsonValues.Number($"logit_bias[{id}]", one.Value);
        }
        return read;
    }

    private RepetitionGuard? Guard()
    {
        const string name = "repetition_detection";
        if (Find(name) is not { } guard) return null;
        JsonValues.Object(name, guard);
        var defaults = new RepetitionGuard();
        return new()
        {
            MaxPatternSize = Part("max_pattern_size") ?? defaults.MaxPatternSize,
            MinPatternSize = Part("min_pattern_size") ?? defaults.MinPatternSize,
            MinCount = Part("min_count") ?? defaults.MinCount,
        };

        int? Part(string part) => guard.TryGetProperty(part, out var value) ? JsonValues.Whole($"{name}.{part}", value) : null;
    }

    private int[]? Ids(string name) => Find(name) is { } value ? JsonValues.List(name, value, JsonValues.Whole) : null;

    private T? Value<T>(string name, Func<string, JsonElement, T> read) where T : struct => Find(name) is { } value ? read(name, value) : null;

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
}
