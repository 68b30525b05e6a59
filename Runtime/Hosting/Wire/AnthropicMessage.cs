using System.Text.Json;
using System.Text.Json.Serialization;

namespace Quilt.Hosting.Wire;

/// <summary>An answer of /v1/messages.</summary>
internal sealed record AnthropicMessage(string Id, string Model, IReadOnlyList<AnthropicBlock> Content, string? StopReason, string? StopSequence,
    AnthropicUsage Usage)
{
    [JsonPropertyOrder(-1)]
    public string Type => "message";

    [JsonPropertyOrder(-1)]
    public string Role => "assistant";

    public JsonElement? Container => null;

    public JsonElement? StopDetails => null;
}

/// <summary>A block of its content.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(AnthropicThinking), "thinking")]
[JsonDerivedType(typeof(AnthropicText), "text")]
[JsonDerivedType(typeof(AnthropicToolUse), "tool_use")]
internal abstract record AnthropicBlock;

/// <summary>Thinking, with what shows that it comes back unchanged.</summary>
internal sealed record AnthropicThinking(string Thinking, string Signature) : AnthropicBlock;

/// <summary>Text.</summary>
internal sealed record AnthropicText(string Text) : AnthropicBlock
{
    public JsonElement? Citations => null;
}

/// <summary>A call.</summary>
internal sealed record AnthropicToolUse(string Id, string Name, JsonElement Input) : AnthropicBlock;

/// <summary>Tokens; what was found in the cache is counted apart.</summary>
internal sealed record AnthropicUsage(int InputTokens, int CacheCreationInputTokens, int CacheReadInputTokens, int OutputTokens,
    AnthropicOutputTokens OutputTokensDetails);

/// <summary>What of the tokens of a reply was thinking.</summary>
internal sealed record AnthropicOutputTokens(int ThinkingTokens);

/// <summary>The answer of /v1/messages/count_tokens.</summary>
internal sealed record AnthropicCount(int InputTokens);

/// <summary>An error in Anthropic's form.</summary>
internal sealed record AnthropicErrorBody(AnthropicError Error)
{
    [JsonPropertyOrder(-1)]
    public string Type => "error";
}

/// <summary>What is wrong.</summary>
internal sealed record AnthropicError(string Type, string Message);
