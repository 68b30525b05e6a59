using System.Buffers;
using System.Text.Json;

namespace Quilt.Cli.Bench.Serve;

/// <summary>What all requests to a server have in common.</summary>
/// <param name="Endpoint">Which endpoint.</param>
/// <param name="Model">The name that is asked for.</param>
/// <param name="IgnoreEos">Whether replies go on to their full length: <c>ignore_eos</c>, which OpenAI's own servers do not know.</param>
internal sealed record RequestForm(LoadEndpoint Endpoint, string Model, bool IgnoreEos = true)
{
    /// <summary>Where it is sent, below the server's address.</summary>
    public string Path => Endpoint == LoadEndpoint.Chat ? "v1/chat/completions" : "v1/completions";

    /// <summary>The body of a request for <paramref name="tokens"/> tokens, streamed, the most likely token each time.</summary>
    public ReadOnlyMemory<byte> Body(Conversation conversation, int tokens) => Write(conversation, writer =>
    {
        writer.WriteNumber("max_tokens", tokens);
        writer.WriteNumber("temperature", 0);
        if (IgnoreEos) writer.WriteBoolean("ignore_eos", true);
        writer.WriteBoolean("stream", true);
        writer.WriteStartObject("stream_options");
        writer.WriteBoolean("include_usage", true);
        writer.WriteEndObject();
    });

    /// <summary>The body that asks <c>/tokenize</c> for the same prompt's tokens.</summary>
    public ReadOnlyMemory<byte> TokenizeBody(Conversation conversation) => Write(conversation, static _ => { });

    private ReadOnlyMemory<byte> Write(Conversation conversation, Action<Utf8JsonWriter> rest)
    {
        var bytes = new ArrayBufferWriter<byte>(1024);
        using var writer = new Utf8JsonWriter(bytes);
        writer.WriteStartObject();
        writer.WriteString("model", Model);
        conversation.WriteTo(writer);
        rest(writer);
        writer.WriteEndObject();
        writer.Flush();
        return bytes.WrittenMemory;
    }
}
