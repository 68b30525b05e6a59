using System.Text.Json;
using Quilt.Hosting.Http;
using Quilt.Hosting.Wire;
using Quilt.Runtime;

namespace Quilt.Hosting.OpenAi.Responses;

/// <summary>
/// An answer of /v1/responses in named, numbered events: the response without output, each item with its beginning, its pieces and its end, then
/// the whole response.
/// </summary>
/// <param name="sse">Where to.</param>
/// <param name="answer">The answer as it grows.</param>
/// <param name="over">Is given the whole response before the client is.</param>
internal sealed class ResponsesStream(SseWriter sse, ResponsesAnswer answer, Action<ResponseBody> over)
{
    private int number;
    private ReplyBlock? current;
    private string id = "";

    /// <summary>Writes all of it; returns when the client has it, or is gone.</summary>
    public async Task WriteAsync(Generation generation, CancellationToken cancel)
    {
        WriteResponse("response.created"u8, answer.Begun);
        WriteResponse("response.in_progress"u8, answer.Begun);
        if (!await sse.FlushAsync(cancel).ConfigureAwait(false)) return;
        if (!await EventPump.RunAsync(sse, [generation], Take, cancel).ConfigureAwait(false)) return;
        await sse.FlushAsync(cancel).ConfigureAwait(false);
    }

    private bool Take(int choice, GenerationEvent happened)
    {
        if (happened.Token is { } token) answer.Reply.Count(token);
        else if (happened.Part is { } part) Write(answer.Reply.Take(part));
        else if (happened.End is { } end) WriteEnd(end);
        return true;
    }

    private void Write(in BlockChange change)
    {
        if (change.Closed is { } closed) WriteDone(closed);
        if (change.Opened is { } opened) WriteAdded(opened);
        if (change.Grown is { } grown) WriteDelta(grown, change);
    }

    private void WriteEnd(GenerationEnd end)
    {
        if (answer.Reply.Finish(end) is { } last) WriteDone(last);
        var whole = answer.Whole();
        over(whole);
        switch (whole.Status)
        {
            case "completed":
                WriteResponse("response.completed"u8, whole);
                break;
            case "failed":
                WriteResponse("response.failed"u8, whole);
                break;
            default:
                WriteResponse("response.incomplete"u8, whole);
                break;
        }
    }

    private void WriteResponse(ReadOnlySpan<byte> name, ResponseBody response)
    {
        var json = Begin(name);
        json.WritePropertyName("response"u8);
        JsonSerializer.Serialize(json, response, ResponsesJson.Default.ResponseBody);
        End(json);
    }

    private void WriteAdded(ReplyBlock block)
    {
        WriteItem("response.output_item.added"u8, block, ResponsesAnswer.Empty(block));
        if (block.Kind == BlockKind.Call) return;
        var json = Begin("response.content_part.added"u8, block);
        WritePart(json, block, "");
        End(json);
    }

    private void WriteDelta(ReplyBlock block, in BlockChange change)
    {
        var json = block.Kind switch
        {
            BlockKind.Thinking => Begin("response.reasoning_text.delta"u8, block),
            BlockKind.Text => Begin("response.output_text.delta"u8, block),
            _ => Begin("response.function_call_arguments.delta"u8, block),
        };
        json.WriteString("delta"u8, change.Delta);
        if (block.Kind == BlockKind.Text) WriteLogprobs(json, change.Tokens);
        End(json);
    }

    private void WriteDone(ReplyBlock block)
    {
        var json = block.Kind switch
        {
            BlockKind.Thinking => Begin("response.reasoning_text.done"u8, block),
            BlockKind.Text => Begin("response.output_text.done"u8, block),
            _ => Begin("response.function_call_arguments.done"u8, block),
        };
        if (block.Kind == BlockKind.Call)
        {
            json.WriteString("name"u8, block.Name);
            json.WriteString("arguments"u8, block.Text);
            End(json);
        }
        else
        {
            json.WriteString("text"u8, block.Text);
            if (block.Kind == BlockKind.Text) WriteLogprobs(json, block.Tokens);
            End(json);
            json = Begin("response.content_part.done"u8, block);
            WritePart(json, block, block.Text);
            End(json);
        }
        WriteItem("response.output_item.done"u8, block, answer.Item(block));
    }

    private void WriteItem(ReadOnlySpan<byte> name, ReplyBlock block, ResponseItem item)
    {
        var json = Begin(name);
        json.WriteNumber("output_index"u8, block.Index);
        json.WritePropertyName("item"u8);
        JsonSerializer.Serialize(json, item, ResponsesJson.Default.ResponseItem);
        End(json);
    }

    private void WritePart(Utf8JsonWriter json, ReplyBlock block, string text)
    {
        json.WritePropertyName("part"u8);
        if (block.Kind == BlockKind.Thinking) JsonSerializer.Serialize(json, new ReasoningText(text), ResponsesJson.Default.ReasoningText);
        else JsonSerializer.Serialize(json,
            new OutputText(text, text.Length == 0 ? [] : answer.Logprobs(block.Tokens)), ResponsesJson.Default.OutputText);
    }

    private void WriteLogprobs(Utf8JsonWriter json, IReadOnlyList<TokenPiece>? tokens)
    {
        json.WriteStartArray("logprobs"u8);
        foreach (var token in answer.Logprobs(tokens)) JsonSerializer.Serialize(json, token, ResponsesJson.Default.ChatToken);
        json.WriteEndArray();
    }

    // {"type":…,"sequence_number":…,"item_id":…,"output_index":…,"content_index":0
    private Utf8JsonWriter Begin(ReadOnlySpan<byte> name, ReplyBlock block)
    {
        var json = Begin(name);
        if (block != current) (current, id) = (block, ResponsesAnswer.IdOf(block));
        json.WriteString("item_id"u8, id);
        json.WriteNumber("output_index"u8, block.Index);
        if (block.Kind != BlockKind.Call) json.WriteNumber("content_index"u8, 0);
        return json;
    }

    private Utf8JsonWriter Begin(ReadOnlySpan<byte> name)
    {
        var json = sse.Begin(name);
        json.WriteStartObject();
        json.WriteString("type"u8, name);
        json.WriteNumber("sequence_number"u8, number++);
        return json;
    }

    private void End(Utf8JsonWriter json)
    {
        json.WriteEndObject();
        sse.End();
    }
}
