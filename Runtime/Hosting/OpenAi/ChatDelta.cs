using System.Text;
using System.Text.Json;
using Quilt.Formats.Chat.Replies;
using Quilt.Runtime;

namespace Quilt.Hosting.OpenAi;

/// <summary>What of a reply is to be sent next: parts of one kind, joined until as many tokens as a piece may have are in it.</summary>
internal sealed class ChatDelta(ReplyTerms terms)
{
    private readonly StringBuilder joined = new();
    private ReplyEvent? first;

    /// <summary>Tokens since the last piece.</summary>
    public int Tokens { get; private set; }

    /// <summary>Tokens whose log probabilities or ids are to be sent.</summary>
    public List<TokenPiece> Pieces { get; } = [];

    /// <summary>Whether there has been a call.</summary>
    public bool HadCalls { get; private set; }

    /// <summary>Whether there is nothing to send.</summary>
    public bool IsEmpty => first is null;

    /// <summary>A token came.</summary>
    public void Count(TokenPiece? kept)
    {
        Tokens++;
        if (kept is { } piece) Pieces.Add(piece);
    }

    /// <summary>Whether a part can be joined to what is there; null where it is not sent at all.</summary>
    public bool? Continues(ReplyEvent part) => !IsSent(part) ? null : (first, part) switch
    {
        (null, _) => true,
        (ReplyText, ReplyText) or (ThinkingText, ThinkingText) => true,
        (ToolCallBegun begun, ToolCallArguments more) => begun.Index == more.Index,
        (ToolCallArguments one, ToolCallArguments more) => one.Index == more.Index,
        _ => false,
    };

    /// <summary>Takes a part.</summary>
    public void Take(ReplyEvent part)
    {
        if (!IsSent(part)) return;
        first ??= part;
        joined.Append(part switch
        {
            ReplyText said => said.Text,
            ThinkingText thought => thought.Text,
            ToolCallArguments arguments => arguments.Json,
            _ => "",
        });
        if (part is ToolCallBegun) HadCalls = true;
    }

    /// <summary>Writes the fields of a delta.</summary>
    public void Write(Utf8JsonWriter json)
    {
        // A part that came alone, which is the rule, is written without being copied.
        var text = joined.Length switch
        {
            0 => "",
            var length => first is ReplyText { Text: var one } && one.Length == length ? one
                : first is ThinkingText { Text: var thought } && thought.Length == length ? thought
                : first is ToolCallArguments { Json: var arguments } && arguments.Length == length ? arguments
                : joined.ToString(),
        };
        switch (first)
        {
            case ReplyText:
                json.WriteString("content"u8, text);
                break;
            case ThinkingText:
                if (terms.ReasoningField != ReasoningField.ReasoningContent) json.WriteString("reasoning"u8, text);
                if (terms.ReasoningField != ReasoningField.Reasoning) json.WriteString("reasoning_content"u8, text);
                break;
            case ToolCallBegun begun:
                WriteCall(json, begun, text);
                break;
            case ToolCallArguments more:
                json.WriteStartArray("tool_calls"u8);
                json.WriteStartObject();
                json.WriteNumber("index"u8, more.Index);
                json.WriteStartObject("function"u8);
                json.WriteString("arguments"u8, text);
                json.WriteEndObject();
                json.WriteEndObject();
                json.WriteEndArray();
                break;
        }
    }

    /// <summary>It was sent.</summary>
    public void Clear()
    {
        first = null;
        joined.Clear();
        Tokens = 0;
    }

    private static void WriteCall(Utf8JsonWriter json, ToolCallBegun begun, string arguments)
    {
        json.WriteStartArray("tool_calls"u8);
        json.WriteStartObject();
        json.WriteString("id"u8, Ids.Call());
        json.WriteString("type"u8, "function"u8);
        json.WriteNumber("index"u8, begun.Index);
        json.WriteStartObject("function"u8);
        json.WriteString("name"u8, begun.Name);
        json.WriteString("arguments"u8, arguments);
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndArray();
    }

    private bool IsSent(ReplyEvent part) => part switch
    {
        ReplyText => !terms.CallsOnly,
        ThinkingText => terms.IncludeReasoning,
        ToolCallBegun call => terms.ParallelToolCalls || call.Index == 0,
        ToolCallArguments more => terms.ParallelToolCalls || more.Index == 0,
        _ => false,
    };
}
