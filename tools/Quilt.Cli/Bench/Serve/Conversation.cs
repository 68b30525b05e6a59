using System.Text;
using System.Text.Json;

namespace Quilt.Cli.Bench.Serve;

/// <summary>What was said so far, and how a request says it.</summary>
internal sealed class Conversation(LoadEndpoint endpoint)
{
    private readonly List<(string Role, string Text)> messages = [];

    /// <summary>The user's next message.</summary>
    public Conversation Ask(string text)
    {
        messages.Add(("user", text));
        return this;
    }

    /// <summary>The server's reply to it; null: it failed, and the message is taken back.</summary>
    public void Answer(string? text)
    {
        if (text is null) messages.RemoveAt(messages.Count - 1);
        else messages.Add(("assistant", text));
    }

    /// <summary>Writes <c>messages</c> or <c>prompt</c>, whichever the endpoint takes.</summary>
    public void WriteTo(Utf8JsonWriter writer)
    {
        if (endpoint == LoadEndpoint.Completions)
        {
            writer.WriteString("prompt", Joined());
            return;
        }
        writer.WriteStartArray("messages");
        foreach (var (role, text) in messages)
        {
            writer.WriteStartObject();
            writer.WriteString("role", role);
            writer.WriteString("content", text);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }

    // A completion goes on where the prompt ends, so only what the user says needs a space in front.
    private string Joined()
    {
        var text = new StringBuilder();
        foreach (var (role, said) in messages)
        {
            if (text.Length > 0 && role == "user") text.Append(' ');
            text.Append(said);
        }
        return text.ToString();
    }
}
