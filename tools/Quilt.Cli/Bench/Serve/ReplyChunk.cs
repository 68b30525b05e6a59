using System.Text;
using System.Text.Json;

namespace Quilt.Cli.Bench.Serve;

/// <summary>What matters of a chunk of a streamed reply, of either endpoint; made from JSON without strings where nobody keeps the text.</summary>
internal struct ReplyChunk
{
    private readonly StringBuilder? content, reasoning;

    private ReplyChunk(StringBuilder? content, StringBuilder? reasoning) => (this.content, this.reasoning) = (content, reasoning);

    /// <summary>Whether it carries text, thinking or a part of a tool call.</summary>
    public bool HasTokens { get; private set; }

    /// <summary>Whether it says why the reply ended.</summary>
    public bool IsLast { get; private set; }

    /// <summary>The message, where it is an error.</summary>
    public string? Error { get; private set; }

    /// <summary>Tokens of the prompt by its usage; null where it has none.</summary>
    public int? PromptTokens { get; private set; }

    /// <summary>Tokens of the reply so far by its usage; null where it has none.</summary>
    public int? OutputTokens { get; private set; }

    /// <summary>Reads the data of an event.</summary>
    /// <param name="json">A chunk, or an error.</param>
    /// <param name="content">Takes the text; null: nobody wants it.</param>
    /// <param name="reasoning">Takes the thinking; null: nobody wants it.</param>
    /// <exception cref="JsonException">It is no JSON object.</exception>
    public static ReplyChunk Read(ReadOnlySpan<byte> json, StringBuilder? content = null, StringBuilder? reasoning = null)
    {
        var reader = new Utf8JsonReader(json);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) throw new JsonException("expected an object");
        var chunk = new ReplyChunk(content, reasoning);
        while (NextField(ref reader))
        {
            if (reader.ValueTextEquals("choices"u8)) chunk.ReadChoices(ref reader);
            else if (reader.ValueTextEquals("usage"u8)) chunk.ReadUsage(ref reader);
            else if (reader.ValueTextEquals("error"u8)) chunk.Error = Message(ref reader);
            else Skip(ref reader);
        }
        return chunk;
    }

    private void ReadChoices(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            reader.Skip();
            return;
        }
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType == JsonTokenType.StartObject) ReadParts(ref reader);
            else reader.Skip();
        }
    }

    // A choice or its delta: what can carry tokens has different names in both.
    private void ReadParts(ref Utf8JsonReader reader)
    {
        var kept = false;
        while (NextField(ref reader))
        {
            if (reader.ValueTextEquals("delta"u8))
            {
                reader.Read();
                if (reader.TokenType == JsonTokenType.StartObject) ReadParts(ref reader);
                else reader.Skip();
            }
            else if (reader.ValueTextEquals("content"u8) || reader.ValueTextEquals("text"u8)) Take(ref reader, content);
            else if (reader.ValueTextEquals("reasoning"u8) || reader.ValueTextEquals("reasoning_content"u8))
            {
                // Servers that send both names send the same text twice.
                if (Take(ref reader, kept ? null : reasoning)) kept = true;
            }
            else if (reader.ValueTextEquals("tool_calls"u8))
            {
                reader.Read();
                if (reader.TokenType == JsonTokenType.StartArray) HasTokens = true;
                reader.Skip();
            }
            else if (reader.ValueTextEquals("finish_reason"u8))
            {
                reader.Read();
                IsLast |= reader.TokenType == JsonTokenType.String;
                reader.Skip();
            }
            else Skip(ref reader);
        }
    }

    private bool Take(ref Utf8JsonReader reader, StringBuilder? text)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.String || reader.ValueSpan.IsEmpty)
        {
            reader.Skip();
            return false;
        }
        HasTokens = true;
        text?.Append(reader.GetString());
        return true;
    }

    private void ReadUsage(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            return;
        }
        while (NextField(ref reader))
        {
            var (prompt, output) = (reader.ValueTextEquals("prompt_tokens"u8), reader.ValueTextEquals("completion_tokens"u8));
            reader.Read();
            if (reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out var count))
            {
                if (prompt) PromptTokens = count;
                if (output) OutputTokens = count;
            }
            reader.Skip();
        }
    }

    private static string? Message(ref Utf8JsonReader reader)
    {
        reader.Read();
        using var error = JsonDocument.ParseValue(ref reader);
        return ErrorText.Of(error.RootElement);
    }

    private static bool NextField(ref Utf8JsonReader reader) => reader.Read() && reader.TokenType == JsonTokenType.PropertyName;

    private static void Skip(ref Utf8JsonReader reader)
    {
        reader.Read();
        reader.Skip();
    }
}
