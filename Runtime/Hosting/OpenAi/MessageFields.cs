using System.Text.Json;
using System.Text.Json.Nodes;
using Quilt.Hosting.Http;

namespace Quilt.Hosting.OpenAi;

/// <summary>
/// A request's messages as a chat template sees them: content a text, or its parts where the template goes through them; arguments an object;
/// thinking under both its names. As vLLM does it (chat_utils), so that templates written for it render the same.
/// </summary>
internal static class MessageFields
{
    /// <summary>Most messages of a request.</summary>
    public const int Most = 65536;

    // Of arguments that come as a text: within a message they stand five levels deep, and a conversation has 64.
    private const int MostDepth = 56;

    /// <summary>The messages.</summary>
    /// <param name="messages">The request's list.</param>
    /// <param name="takesParts">Whether the template goes through the parts of content.</param>
    /// <exception cref="ApiException">One of them is no message, or holds what this model cannot read.</exception>
    public static IEnumerable<JsonObject> Read(IReadOnlyList<JsonElement> messages, bool takesParts)
    {
        for (var i = 0; i < messages.Count; i++) yield return Read(new Fields(messages[i], $"body.messages.{i}"), takesParts);
    }

    /// <summary>One message.</summary>
    public static JsonObject Read(Fields message, bool takesParts)
    {
        var role = message.Text("role") ?? throw ApiException.Bad($"{message.PathOf("role")}: expected a string, found none.", "messages");
        var read = new JsonObject { ["role"] = role };
        if (message.Text("name") is { } name) read["name"] = name;
        if (message.Text("tool_call_id") is { } call) read["tool_call_id"] = call;
        read["content"] = Content(message, takesParts && role != "tool");
        if (role == "assistant")
        {
            if (Calls(message) is { Count: > 0 } calls) read["tool_calls"] = calls;
            if ((message.Text("reasoning") ?? message.Text("reasoning_content")) is { } thought)
                (read["reasoning"], read["reasoning_content"]) = (thought, thought);
        }
        if (message.Any("tools") is { } own) read["tools"] = JsonNode.Parse(own.GetRawText());
        return read;
    }

    private static JsonNode Content(Fields message, bool takesParts)
    {
        var texts = new List<string>();
        if (message.Any("content") is { } content)
        {
            if (content.ValueKind == JsonValueKind.String) texts.Add(content.GetString()!);
            else if (content.ValueKind == JsonValueKind.Array)
            {
                foreach (var part in content.EnumerateArray()) texts.Add(TextOf(part, $"{message.PathOf("content")}.{texts.Count}"));
            }
            else throw message.Wrong("content", content, "a string or a list of parts");
        }
        if (!takesParts) return string.Join('\n', texts);
        return new JsonArray([.. texts.Select(text => (JsonNode)new JsonObject { ["type"] = "text", ["text"] = text })]);
    }

    /// <summary>The text of a part of content.</summary>
    /// <exception cref="ApiException">It is no text.</exception>
    public static string TextOf(JsonElement part, string path)
    {
        if (part.ValueKind == JsonValueKind.String) return part.GetString()!;
        var fields = new Fields(part, path);
        var type = fields.Text("type") ?? "text";
        return type switch
        {
            "text" or "input_text" or "output_text" => fields.Text("text") ?? "",
            "refusal" => fields.Text("refusal") ?? "",
            _ => throw ApiException.Bad($"{path}: expected text, which is all this model reads, found a part of type {Fields.Shown(type)}.",
                "messages"),
        };
    }

    private static JsonArray? Calls(Fields message)
    {
        if (message.List("tool_calls", Most) is not { } list) return null;
        var calls = new JsonArray();
        foreach (var (item, i) in list.Select((item, i) => (item, i)))
        {
            var call = new Fields(item, $"{message.PathOf("tool_calls")}.{i}");
            var function = call.Object("function")
                ?? throw ApiException.Bad($"{call.PathOf("function")}: expected an object, found none.", "messages");
            var read = new JsonObject();
            if (call.Text("id") is { } id) read["id"] = id;
            read["type"] = "function";
            read["function"] = new JsonObject { ["name"] = function.Text("name") ?? "", ["arguments"] = Arguments(function) };
            calls.Add(read);
        }
        return calls;
    }

    // What is no JSON is no reason to refuse a conversation that a model has led so far.
    private static JsonNode Arguments(Fields function)
    {
        if (function.Any("arguments") is not { } given) return new JsonObject();
        if (given.ValueKind != JsonValueKind.String)
            return given.ValueKind == JsonValueKind.Object ? JsonNode.Parse(given.GetRawText())! : new JsonObject();
        try
        {
            var read = JsonNode.Parse(given.GetString()!, documentOptions: new() { MaxDepth = MostDepth }) ?? new JsonObject();
            // Nodes are made when they are looked at: now, while it is known whose they are.
            read.ToJsonString();
            return read;
        }
        catch (JsonException)
        {
            return new JsonObject();
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            throw ApiException.Bad($"{function.PathOf("arguments")}: expected JSON of Unicode text whose names differ.", "messages");
        }
    }
}
