using System.Text.Json;
using Microsoft.Extensions.AI;
using Quilt.Formats.Chat.Replies;
using Quilt.Runtime;

namespace Quilt.Hosting.Chat;

/// <summary>
/// From the parts of one reply to contents of Microsoft.Extensions.AI. A call is passed on once it is whole. Line breaks between thinking and what
/// follows belong to the markers, and are not passed on; templates write their own (<see cref="ChatMessages"/>).
/// </summary>
/// <param name="options">The caller's options; null: none.</param>
internal sealed class ChatReply(ChatOptions? options)
{
    private readonly bool givesThinking = options?.Reasoning?.Output is not ReasoningOutput.None;
    private readonly int mostCalls = options?.AllowMultipleToolCalls == false ? 1 : int.MaxValue;
    private int calls;
    private int heldBreaks;
    private bool followsThinking;

    /// <summary>What a part of the reply is to the caller; null: nothing.</summary>
    public AIContent? ContentOf(ReplyEvent part) => part switch
    {
        ThinkingText thought => Thinking(thought.Text) is { Length: > 0 } text && givesThinking ? new TextReasoningContent(text) : null,
        ReplyText said => Answer(said.Text) is { Length: > 0 } text ? new TextContent(text) : null,
        ToolCallEnded call when calls < mostCalls => Call(call),
        ToolCallDropped { Reason: not DropReason.CutShort and var reason } =>
            new ErrorContent($"A call that the model wrote was not passed on: {reason}.") { ErrorCode = "tool_call_dropped" },
        _ => null,
    };

    /// <summary>Why the reply ended.</summary>
    public ChatFinishReason Finish(FinishReason reason) => reason switch
    {
        FinishReason.Stop => calls > 0 ? ChatFinishReason.ToolCalls : ChatFinishReason.Stop,
        FinishReason.Length => ChatFinishReason.Length,
        FinishReason.Repetition => new("repetition"),
        FinishReason.Timeout => new("timeout"),
        _ => new("abort"),
    };

    /// <summary>Its tokens.</summary>
    public static UsageContent Usage(GenerationStats stats) => new(new UsageDetails
    {
        InputTokenCount = stats.PromptTokens,
        OutputTokenCount = stats.GeneratedTokens,
        TotalTokenCount = stats.PromptTokens + stats.GeneratedTokens,
        CachedInputTokenCount = stats.CachedTokens,
        ReasoningTokenCount = stats.ThinkingTokens,
    });

    private string Thinking(string text)
    {
        followsThinking = true;
        text = new string('\n', heldBreaks) + text;
        var kept = text.TrimEnd('\n');
        heldBreaks = text.Length - kept.Length;
        return kept;
    }

    private string Answer(string text)
    {
        if (followsThinking) text = text.TrimStart('\n');
        (followsThinking, heldBreaks) = (followsThinking && text.Length == 0, 0);
        return text;
    }

    private FunctionCallContent Call(ToolCallEnded call)
    {
        calls++;
        IDictionary<string, object?>? arguments = null;
        Exception? damage = null;
        try
        {
            arguments = Arguments(call.Arguments);
        }
        // Text that is no JSON, or no Unicode.
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidOperationException)
        {
            damage = e;
        }
        if (!call.IsComplete) damage ??= new InvalidDataException($"The reply ended inside the call of '{call.Name}': arguments may be missing.");
        // A call that was cut short is shown, and nobody carries it out.
        return new FunctionCallContent($"call_{Guid.NewGuid():N}"[..29], call.Name, arguments)
        {
            Exception = damage,
            InformationalOnly = damage is not null,
        };
    }

    private static Dictionary<string, object?> Arguments(string json)
    {
        using var document = JsonDocument.Parse(json);
        var arguments = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (var argument in document.RootElement.EnumerateObject())
            arguments[argument.Name] = argument.Value.ValueKind == JsonValueKind.Null ? null : argument.Value.Clone();
        return arguments;
    }
}
