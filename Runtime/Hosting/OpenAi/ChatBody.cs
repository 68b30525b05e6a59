using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Quilt.Formats;
using Quilt.Hosting.Http;

namespace Quilt.Hosting.OpenAi;

/// <summary>A chat request made of another API's, so that both take one way from there.</summary>
internal sealed class ChatBody
{
    // What OpenAI's form wraps around a part of another's.
    private const int MoreDepth = 16;
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, MaxDepth = 2048 };

    // Fields of vLLM's that mean the same in every API.
    private static readonly string[] Common =
    [
        "model", "stream", "temperature", "top_p", "top_k", "min_p", "repetition_penalty", "presence_penalty", "frequency_penalty", "seed",
        "priority", "cache_salt", "ignore_eos", "request_id",
    ];

    private readonly JsonObject fields = [];

    /// <summary>Begins with what means the same in both.</summary>
    public ChatBody(Fields from)
    {
        foreach (var name in Common) Copy(from, name);
    }

    /// <summary>Sets a field.</summary>
    public JsonNode? this[string name]
    {
        set => fields[name] = value;
    }

    /// <summary>Takes a field over as it is, where there is one.</summary>
    public void Copy(Fields from, string name, string? to = null)
    {
        if (from.Any(name) is { } value) fields[to ?? name] = Node(value);
    }

    /// <summary>The request's fields.</summary>
    /// <param name="server">Whose depth counts.</param>
    public Fields Read(QuiltServerOptions server) =>
        new(JsonText.ParseObject(Bytes(fields), "body", server.MaxDepth + MoreDepth), "body");

    /// <summary>A node's JSON.</summary>
    public static ReadOnlyMemory<byte> Bytes(JsonNode node)
    {
        var written = new ArrayBufferWriter<byte>(4096);
        using var json = new Utf8JsonWriter(written, Options);
        node.WriteTo(json);
        json.Flush();
        return written.WrittenMemory;
    }

    /// <summary>A value as a node, which is not looked into.</summary>
    public static JsonNode? Node(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => JsonObject.Create(value),
        JsonValueKind.Array => JsonArray.Create(value),
        _ => JsonValue.Create(value),
    };

    /// <summary>A part of content that is text.</summary>
    public static JsonObject TextPart(string text) => new() { ["type"] = "text", ["text"] = text };
}
