using System.Text.Json;
using Microsoft.Extensions.AI;
using Quilt.Formats.Chat.Replies;
using Quilt.Runtime;

namespace Quilt.Hosting.Chat;

/// <summary>From the parts of one reply to contents of Microsoft.Extensions.AI. A call is passed on once it is whole.</summary>
/// <param name="options">The caller's options; null: none.</param>
internal sealed class ChatReply(ChatOptions? options)
{
    private readonly bool givesThinking = options?.Reasoning?.Output is not ReasoningOutput.None;
    private readonly bool givesCalls = options?.ToolMode is not NoneChatToolMode;
    private readonly int mostCalls = options?.AllowMultipleToolCalls == false ? 1 : int.MaxValue;
    private int calls;

    /// <summary>What a part of the reply is to the caller; null: nothing.</summary>
    public AIContent? ContentOf(ReplyEvent part) => part switch
    {
        ThinkingText thought when givesThinking => new TextReasoningContent(thought.Text),
        ReplyText said => new TextContent(said.Text),
        ToolCallEnded call when givesCalls && calls < mostCalls => Call(call),
        ToolCallDropped { Reason: not DropReason.CutShort } dropped => new ErrorContent($"A call that the model wrote was not passed on: {dropped.Reason}.")
        {
            ErrorCode = "tool_call_dropped",
        },
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
