using System.Text.Json;
using System.Text.Json.Serialization;

namespace Quilt.Hosting.Wire;

/// <summary>An answer of /v1/completions.</summary>
internal sealed record TextCompletion(string Id, long Created, string Model, IReadOnlyList<TextChoice> Choices, Usage? Usage)
{
    [JsonPropertyOrder(-1)]
    public string Object => "text_completion";

    public string? ServiceTier => null;

    public string? SystemFingerprint { get; init; }

    public JsonElement? KvTransferParams { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public RequestTimes? Metrics { get; init; }
}

/// <summary>One of its replies.</summary>
internal sealed record TextChoice(int Index, string Text, TextLogprobs? Logprobs, string? FinishReason, JsonElement? StopReason)
{
    public IReadOnlyList<int>? TokenIds { get; init; }

    public IReadOnlyList<Dictionary<string, PromptToken>?>? PromptLogprobs { get; init; }

    public IReadOnlyList<int>? PromptTokenIds { get; init; }
}

/// <summary>Log probabilities of a reply's tokens, and where in the text they begin.</summary>
internal sealed record TextLogprobs(
    IReadOnlyList<int> TextOffset, IReadOnlyList<float?> TokenLogprobs, IReadOnlyList<string> Tokens,
    IReadOnlyList<Dictionary<string, float>?> TopLogprobs);
