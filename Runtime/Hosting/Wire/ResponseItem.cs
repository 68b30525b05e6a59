using System.Text.Json.Serialization;

namespace Quilt.Hosting.Wire;

/// <summary>An item of a response's output.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(ReasoningItem), "reasoning")]
[JsonDerivedType(typeof(MessageItem), "message")]
[JsonDerivedType(typeof(FunctionCallItem), "function_call")]
internal abstract record ResponseItem;

/// <summary>Thinking. It comes whole: there is no summary of it.</summary>
internal sealed record ReasoningItem(string Id, IReadOnlyList<ReasoningText> Content, string? EncryptedContent, string Status) : ResponseItem
{
    public IReadOnlyList<string> Summary => [];
}

/// <summary>A text of thinking.</summary>
internal sealed record ReasoningText(string Text)
{
    [JsonPropertyOrder(-1)]
    public string Type => "reasoning_text";
}

/// <summary>What the assistant says.</summary>
internal sealed record MessageItem(string Id, string Status, IReadOnlyList<OutputText> Content) : ResponseItem
{
    public string Role => "assistant";
}

/// <summary>A text of it.</summary>
internal sealed record OutputText(string Text, IReadOnlyList<ChatToken> Logprobs)
{
    [JsonPropertyOrder(-1)]
    public string Type => "output_text";

    public IReadOnlyList<string> Annotations => [];
}

/// <summary>A call, with arguments as JSON in a text.</summary>
internal sealed record FunctionCallItem(string Id, string CallId, string Name, string Arguments, string Status) : ResponseItem;
