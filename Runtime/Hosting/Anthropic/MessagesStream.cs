using System.Text.Json;
using Quilt.Hosting.Http;
using Quilt.Hosting.OpenAi;
using Quilt.Hosting.Wire;
using Quilt.Runtime;

namespace Quilt.Hosting.Anthropic;

/// <summary>
/// The answer of /v1/messages in named events: the message without content, each block with its beginning, its pieces and its end, then why it
/// ended and what it took.
/// </summary>
internal sealed class MessagesStream
{
    private readonly SseWriter sse;
    private readonly Generation generation;
    private readonly ReplyTerms terms;
    private readonly ReplyBlocks reply;

    private MessagesStream(SseWriter sse, Generation generation, ReplyTerms terms)
    {
        (this.sse, this.generation, this.terms) = (sse, generation, terms);
        reply = new ReplyBlocks(terms.ParallelToolCalls);
    }

    /// <summary>Writes all of it; returns when the client has it, or is gone.</summary>
    public static Task WriteAsync(SseWriter sse, Generation generation, ReplyTerms terms, CancellationToken cancel) =>
        new MessagesStream(sse, generation, terms).WriteAsync(cancel);

    private async Task WriteAsync(CancellationToken cancel)
    {
        WriteBegin();
        WriteEmpty("ping"u8);
        if (!await sse.FlushAsync(cancel).ConfigureAwait(false)) return;
        if (!await EventPump.RunAsync(sse, [generation], Take, cancel).ConfigureAwait(false)) return;
        await sse.FlushAsync(cancel).ConfigureAwait(false);
    }

    private bool Take(int choice, GenerationEvent happened)
    {
        if (happened.Part is { } part) Write(reply.Take(part));
        else if (happened.End is { } end) WriteEnd(end);
        return true;
    }

    private void Write(in BlockChange change)
    {
        if (change.Closed is { } closed) WriteStop(closed);
        if (change.Opened is { } opened) WriteStart(opened);
        if (change.Grown is { } grown) WriteDelta(grown, change.Delta);
    }

    private void WriteBegin()
    {
        var json = sse.Begin("message_start"u8);
        json.WriteStartObject();
        json.WriteString("type"u8, "message_start"u8);
        json.WritePropertyName("message"u8);
        JsonSerializer.Serialize(json, MessagesAnswer.Begun(generation, terms), AnthropicJson.Default.AnthropicMessage);
        json.WriteEndObject();
        sse.End();
    }

    private void WriteStart(ReplyBlock block)
    {
        var json = Begin("content_block_start"u8, block);
        json.WriteStartObject("content_block"u8);
        switch (block.Kind)
        {
            case BlockKind.Thinking:
                json.WriteString("type"u8, "thinking"u8);
                json.WriteString("thinking"u8, ""u8);
                json.WriteString("signature"u8, ""u8);
                break;
            case BlockKind.Text:
                json.WriteString("type"u8, "text"u8);
                json.WriteString("text"u8, ""u8);
                break;
            default:
                json.WriteString("type"u8, "tool_use"u8);
                json.WriteString("id"u8, $"toolu_{block.Key}");
                json.WriteString("name"u8, block.Name);
                json.WriteStartObject("input"u8);
                json.WriteEndObject();
                break;
        }
        json.WriteEndObject();
        End(json);
    }

    private void WriteDelta(ReplyBlock block, string text)
    {
        switch (block.Kind)
        {
            case BlockKind.Thinking:
                WriteDelta(block, "thinking_delta"u8, "thinking"u8, text);
                break;
            case BlockKind.Text:
                WriteDelta(block, "text_delta"u8, "text"u8, text);
                break;
            default:
                WriteDelta(block, "input_json_delta"u8, "partial_json"u8, text);
                break;
        }
    }

    private void WriteDelta(ReplyBlock block, ReadOnlySpan<byte> type, ReadOnlySpan<byte> field, string text)
    {
        var json = Begin("content_block_delta"u8, block);
        json.WriteStartObject("delta"u8);
        json.WriteString("type"u8, type);
        json.WriteString(field, text);
        json.WriteEndObject();
        End(json);
    }

    private void WriteStop(ReplyBlock block)
    {
        if (block.Kind == BlockKind.Thinking) WriteDelta(block, "signature_delta"u8, "signature"u8, MessagesAnswer.Signature(block.Text));
        End(Begin("content_block_stop"u8, block));
    }

    private void WriteEnd(GenerationEnd end)
    {
        var last = reply.Finish(end);
        if (reply.Fault is { } fault)
        {
            JsonSerializer.Serialize(sse.Begin("error"u8), AnthropicErrors.Body(Failure.Of(fault)), AnthropicJson.Default.AnthropicErrorBody);
            sse.End();
            return;
        }
        if (last is not null) WriteStop(last);
        var json = sse.Begin("message_delta"u8);
        json.WriteStartObject();
        json.WriteString("type"u8, "message_delta"u8);
        json.WriteStartObject("delta"u8);
        json.WriteString("stop_reason"u8, MessagesAnswer.StopReason(reply));
        json.WriteString("stop_sequence"u8, end.StopText);
        json.WriteEndObject();
        json.WritePropertyName("usage"u8);
        JsonSerializer.Serialize(json, MessagesAnswer.Usage(generation, terms), AnthropicJson.Default.AnthropicUsage);
        End(json);
        WriteEmpty("message_stop"u8);
    }

    private void WriteEmpty(ReadOnlySpan<byte> name)
    {
        var json = sse.Begin(name);
        json.WriteStartObject();
        json.WriteString("type"u8, name);
        End(json);
    }

    private Utf8JsonWriter Begin(ReadOnlySpan<byte> name, ReplyBlock block)
    {
        var json = sse.Begin(name);
        json.WriteStartObject();
        json.WriteString("type"u8, name);
        json.WriteNumber("index"u8, block.Index);
        return json;
    }

    private void End(Utf8JsonWriter json)
    {
        json.WriteEndObject();
        sse.End();
    }
}
