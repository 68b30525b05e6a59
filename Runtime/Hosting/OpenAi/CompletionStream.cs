using System.Text;
using System.Text.Json;
using Quilt.Formats.Chat.Replies;
using Quilt.Formats.Tokenizers;
using Quilt.Hosting.Http;
using Quilt.Hosting.Wire;
using Quilt.Runtime;

namespace Quilt.Hosting.OpenAi;

/// <summary>The answer of /v1/completions in pieces.</summary>
internal sealed class CompletionStream
{
    private readonly SseWriter sse;
    private readonly CompletionRequest request;
    private readonly IReadOnlyList<Generation> generations;
    private readonly Piece[] pieces;

    private CompletionStream(SseWriter sse, IReadOnlyList<Generation> generations, CompletionRequest request, Tokenizer tokenizer)
    {
        (this.sse, this.generations, this.request) = (sse, generations, request);
        var probabilities = new Probabilities(tokenizer, request.Terms.TokensAsTokenIds);
        pieces = [.. generations.Select(generation => new Piece(
            request.Logprobs is { } top ? new CompletionText(probabilities, top) : null,
            request.Echo ? tokenizer.Decode([.. generation.PromptIds], skipSpecialTokens: true) : ""))];
    }

    /// <summary>Writes all of it; returns when the client has it, or is gone.</summary>
    public static Task WriteAsync(SseWriter sse, IReadOnlyList<Generation> generations, CompletionRequest request, Tokenizer tokenizer,
        CancellationToken cancel) => new CompletionStream(sse, generations, request, tokenizer).WriteAsync(cancel);

    private Task WriteAsync(CancellationToken cancel) =>
        DoneStream.WriteAsync(sse, generations, Take, request.Terms.IncludeUsage ? WriteUsage : null, cancel);

    private void WriteUsage()
    {
        var json = BeginObject();
        json.WriteStartArray("choices"u8);
        json.WriteEndArray();
        End(json, hasUsage: true);
    }

    private void Take(int choice, GenerationEvent happened)
    {
        var piece = pieces[choice];
        if (happened.Token is { } token)
        {
            if (piece.Tokens++ == 0 && request.Echo) foreach (var score in generations[choice].PromptScores ?? []) piece.Logs?.Add(score);
            piece.Count++;
            if (request.PromptOnly) return;
            piece.Logs?.Add(token);
            piece.Ids.Add(token.Id);
        }
        else if (happened.Part is ReplyText said && !request.PromptOnly)
        {
            piece.Text.Append(said.Text);
            if (piece.Count >= request.Terms.Interval) Write(choice, piece, null);
        }
        else if (happened.End is { } end) Write(choice, piece, end);
    }

    private void Write(int choice, Piece piece, GenerationEnd? end)
    {
        var json = BeginObject();
        json.WriteStartArray("choices"u8);
        json.WriteStartObject();
        json.WriteNumber("index"u8, choice);
        if (piece.Text.Length == 0) json.WriteString("text"u8, ""u8);
        else json.WriteString("text"u8, piece.Text.ToString());
        json.WritePropertyName("logprobs"u8);
        if (piece.Logs is { IsEmpty: false } logs) JsonSerializer.Serialize(json, logs.Take(), WireJson.Default.TextLogprobs);
        else json.WriteNullValue();
        if (end is null) json.WriteNull("finish_reason"u8);
        else Endings.Write(json, end, hasCalls: false);
        if (request.Terms.ReturnTokenIds)
        {
            json.WriteStartArray("token_ids"u8);
            foreach (var id in piece.Ids) json.WriteNumberValue(id);
            json.WriteEndArray();
        }
        json.WriteEndObject();
        json.WriteEndArray();
        End(json, request.Terms.ContinuousUsage);
        piece.Text.Clear();
        piece.Ids.Clear();
        piece.Count = 0;
    }

    private Utf8JsonWriter BeginObject()
    {
        var json = sse.Begin();
        json.WriteStartObject();
        json.WriteString("id"u8, request.Terms.Id);
        json.WriteString("object"u8, "text_completion"u8);
        json.WriteNumber("created"u8, request.Terms.Created);
        json.WriteString("model"u8, request.Terms.Model);
        return json;
    }

    private void End(Utf8JsonWriter json, bool hasUsage)
    {
        if (hasUsage)
        {
            json.WritePropertyName("usage"u8);
            JsonSerializer.Serialize(json, Completions.UsageOf(generations, request), WireJson.Default.Usage);
        }
        json.WriteEndObject();
        sse.End();
    }

    /// <summary>What of a reply is to be sent next.</summary>
    private sealed class Piece(CompletionText? logs, string prefix)
    {
        public CompletionText? Logs { get; } = logs;

        public StringBuilder Text { get; } = new(prefix);

        public List<int> Ids { get; } = [];

        public int Count { get; set; }

        public int Tokens { get; set; }
    }
}
