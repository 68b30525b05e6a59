using System.Text.Json;
using Quilt.Formats.Chat.Replies;
using Quilt.Formats.Tokenizers;
using Quilt.Hosting.Http;
using Quilt.Hosting.Wire;
using Quilt.Runtime;

namespace Quilt.Hosting.OpenAi;

/// <summary>
/// The answer of /v1/chat/completions in pieces: for each reply its role, then what of it becomes certain, then why it ended; the usage if asked for;
/// <c>[DONE]</c>. A piece has text or thinking or a step of one call, never a part of markup.
/// </summary>
internal sealed class ChatStream
{
    private readonly SseWriter sse;
    private readonly ReplyTerms terms;
    private readonly IReadOnlyList<Generation> generations;
    private readonly Probabilities? probabilities;
    private readonly ChatDelta[] deltas;
    private readonly bool keepsTokens;

    private ChatStream(SseWriter sse, IReadOnlyList<Generation> generations, ReplyTerms terms, Tokenizer? tokenizer)
    {
        (this.sse, this.generations, this.terms) = (sse, generations, terms);
        probabilities = tokenizer is null ? null : new Probabilities(tokenizer, terms.TokensAsTokenIds);
        deltas = [.. generations.Select(_ => new ChatDelta(terms))];
        keepsTokens = terms.LogProbabilities || terms.ReturnTokenIds;
    }

    /// <summary>Writes all of it; returns when the client has it, or is gone.</summary>
    /// <param name="sse">Where to.</param>
    /// <param name="generations">The replies.</param>
    /// <param name="terms">How it is written.</param>
    /// <param name="tokenizer">Of the model.</param>
    /// <param name="cancel">The client is gone.</param>
    public static Task WriteAsync(SseWriter sse, IReadOnlyList<Generation> generations, ReplyTerms terms, Tokenizer? tokenizer,
        CancellationToken cancel) => new ChatStream(sse, generations, terms, tokenizer).WriteAsync(cancel);

    private async Task WriteAsync(CancellationToken cancel)
    {
        for (var choice = 0; choice < deltas.Length; choice++) WriteRole(choice);
        if (!await sse.FlushAsync(cancel).ConfigureAwait(false)) return;
        await DoneStream.WriteAsync(sse, generations, Take, terms.IncludeUsage ? WriteUsage : null, cancel).ConfigureAwait(false);
    }

    private void Take(int choice, GenerationEvent happened)
    {
        var delta = deltas[choice];
        if (happened.Token is { } token) delta.Count(keepsTokens ? token : null);
        else if (happened.Part is { } part)
        {
            if (delta.Continues(part) is false) WriteDelta(choice, delta);
            delta.Take(part);
            if (terms.Interval == 1 || delta.Tokens >= terms.Interval) WriteDelta(choice, delta);
        }
        else if (happened.End is { } end)
        {
            WriteDelta(choice, delta);
            WriteEnd(choice, delta, end);
        }
    }

    private void WriteRole(int choice)
    {
        var json = BeginChunk(choice);
        json.WriteString("role"u8, terms.Role);
        json.WriteString("content"u8, terms.Prefix);
        json.WriteEndObject();
        json.WriteNull("logprobs"u8);
        json.WriteNull("finish_reason"u8);
        if (terms.ReturnTokenIds) json.WriteNull("token_ids"u8);
        json.WriteEndObject();
        json.WriteEndArray();
        if (terms.ReturnTokenIds)
        {
            json.WriteStartArray("prompt_token_ids"u8);
            foreach (var id in generations[0].PromptIds) json.WriteNumberValue(id);
            json.WriteEndArray();
        }
        if (terms.PromptText is not null) json.WriteString("prompt_text"u8, terms.PromptText);
        EndChunk(json);
    }

    private void WriteDelta(int choice, ChatDelta delta)
    {
        if (delta.IsEmpty) return;
        var json = BeginChunk(choice);
        delta.Write(json);
        json.WriteEndObject();
        WriteTokens(json, delta);
        json.WriteNull("finish_reason"u8);
        json.WriteEndObject();
        json.WriteEndArray();
        EndChunk(json);
        delta.Clear();
    }

    private void WriteEnd(int choice, ChatDelta delta, GenerationEnd end)
    {
        var json = BeginChunk(choice);
        json.WriteEndObject();
        WriteTokens(json, delta);
        Endings.Write(json, end, delta.HadCalls);
        json.WriteEndObject();
        json.WriteEndArray();
        if (terms.Metrics)
        {
            json.WritePropertyName("metrics"u8);
            JsonSerializer.Serialize(json, Times.Of(generations[choice].Stats), WireJson.Default.RequestTimes);
        }
        EndChunk(json);
    }

    // {"id":…,"object":…,"created":…,"model":…,"choices":[{"index":0,"delta":{
    private Utf8JsonWriter BeginChunk(int choice)
    {
        var json = BeginObject();
        json.WriteStartArray("choices"u8);
        json.WriteStartObject();
        json.WriteNumber("index"u8, choice);
        json.WriteStartObject("delta"u8);
        return json;
    }

    private Utf8JsonWriter BeginObject()
    {
        var json = sse.Begin();
        json.WriteStartObject();
        json.WriteString("id"u8, terms.Id);
        json.WriteString("object"u8, "chat.completion.chunk"u8);
        json.WriteNumber("created"u8, terms.Created);
        json.WriteString("model"u8, terms.Model);
        return json;
    }

    private void EndChunk(Utf8JsonWriter json)
    {
        if (terms.ContinuousUsage) WriteUsage(json);
        json.WriteEndObject();
        sse.End();
    }

    private void WriteTokens(Utf8JsonWriter json, ChatDelta delta)
    {
        if (terms.LogProbabilities && probabilities is not null && delta.Pieces.Count > 0)
        {
            json.WritePropertyName("logprobs"u8);
            JsonSerializer.Serialize(json, new ChatLogprobs([.. delta.Pieces.Select(piece => probabilities.Chat(piece))]),
                WireJson.Default.ChatLogprobs);
        }
        else json.WriteNull("logprobs"u8);
        if (terms.ReturnTokenIds)
        {
            json.WriteStartArray("token_ids"u8);
            foreach (var piece in delta.Pieces) json.WriteNumberValue(piece.Id);
            json.WriteEndArray();
        }
        delta.Pieces.Clear();
    }

    private void WriteUsage()
    {
        var json = BeginObject();
        json.WriteStartArray("choices"u8);
        json.WriteEndArray();
        WriteUsage(json);
        json.WriteEndObject();
        sse.End();
    }

    private void WriteUsage(Utf8JsonWriter json)
    {
        json.WritePropertyName("usage"u8);
        JsonSerializer.Serialize(json, Usage.Of(generations, terms.PromptTokensDetails), WireJson.Default.Usage);
    }
}
