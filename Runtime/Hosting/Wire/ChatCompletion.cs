using System.Text.Json;
using System.Text.Json.Serialization;

namespace Quilt.Hosting.Wire;

/// <summary>An answer of /v1/chat/completions.</summary>
internal sealed record ChatCompletion(string Id, long Created, string Model, IReadOnlyList<ChatChoice> Choices, Usage Usage)
{
    [JsonPropertyOrder(-1)]
    public string Object => "chat.completion";

    public string? ServiceTier => null;

    public string? SystemFingerprint { get; init; }

    public IReadOnlyList<Dictionary<string, PromptToken>?>? PromptLogprobs { get; init; }

    public IReadOnlyList<int>? PromptTokenIds { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? PromptText { get; init; }

    public JsonElement? KvTransferParams { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public RequestTimes? Metrics { get; init; }
}

/// <summary>One of its replies.</summary>
internal sealed record ChatChoice(int Index, ChatMessage Message, ChatLogprobs? Logprobs, string FinishReason, JsonElement? StopReason,
    IReadOnlyList<int>? TokenIds);

/// <summary>A reply's message.</summary>
internal sealed record ChatMessage(string Role, string? Content)
{
    public string? Refusal => null;

    public JsonElement? Annotations => null;

    public JsonElement? Audio => null;

    public JsonElement? FunctionCall => null;

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<WireToolCall>? ToolCalls { get; init; }

    /// <summary>Thinking by vLLM's name.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? Reasoning { get; init; }

    /// <summary>Thinking by everyone else's; absent where it is not told by that name.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ReasoningContent { get; init; }
}

/// <summary>A call.</summary>
internal sealed record WireToolCall(string Id, WireFunction Function)
{
    [JsonPropertyOrder(-1)]
    public string Type => "function";
}

/// <summary>What is called, with arguments as JSON in a text.</summary>
internal sealed record WireFunction(string Name, string Arguments);

/// <summary>Log probabilities of a reply's tokens.</summary>
internal sealed record ChatLogprobs(IReadOnlyList<ChatToken> Content);

/// <summary>A token with the most likely ones in its place.</summary>
internal sealed record ChatToken(string Token, float Logprob, IReadOnlyList<int> Bytes, IReadOnlyList<TopToken> TopLogprobs);

/// <summary>One of the most likely ones.</summary>
internal sealed record TopToken(string Token, float Logprob, IReadOnlyList<int> Bytes);

/// <summary>A token of the prompt.</summary>
internal sealed record PromptToken(float Logprob, int Rank, string DecodedToken);

/// <summary>Times of a request, in seconds.</summary>
internal sealed record RequestTimes(double TimeInQueue, double TimeToFirstToken, double TimePerOutputToken, double E2eLatency);
