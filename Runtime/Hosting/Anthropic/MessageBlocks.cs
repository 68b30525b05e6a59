using System.Text.Json;
using System.Text.Json.Nodes;
using Quilt.Hosting.Http;
using Quilt.Hosting.OpenAi;

namespace Quilt.Hosting.Anthropic;

/// <summary>Anthropic's messages as OpenAI's: results of tools become messages of their own, thinking and calls fields of the assistant's.</summary>
internal static class MessageBlocks
{
    /// <summary>The messages, the system's first.</summary>
    /// <exception cref="ApiException">A message is none, or holds what this model cannot read.</exception>
    public static JsonArray Read(Fields body)
    {
        var messages = new JsonArray();
        if (body.Any("system") is not null) messages.Add(new JsonObject { ["role"] = "system", ["content"] = Texts(body, "system") });
        var list = body.List("messages", MessageFields.Most)
            ?? throw ApiException.Bad("messages: expected a list of messages, found none.", "messages");
        if (list.Count == 0) throw ApiException.Bad("messages: expected at least one message, found none.", "messages");
        for (var i = 0; i < list.Count; i++)
        {
            var message = new Fields(list[i], $"body.messages.{i}");
            switch (message.Text("role"))
            {
                case "user":
                    AddUser(messages, message);
                    break;
                case "assistant":
                    messages.Add(Assistant(message, isLast: i == list.Count - 1));
                    break;
                case "system":
                    messages.Add(new JsonObject { ["role"] = "system", ["content"] = Texts(message, "content") });
                    break;
                case var other:
                    throw ApiException.Bad($"{message.PathOf("role")}: expected user or assistant, found {Fields.Shown(other ?? "none")}.",
                        "messages");
            }
        }
        return messages;
    }

    /// <summary>Whether the last message is one of the assistant's, which the reply goes on with.</summary>
    public static bool IsBegun(JsonArray messages) =>
        messages[^1] is JsonObject last && (string?)last["role"] == "assistant" && last["content"] is not null;

    // A text, or a list of blocks of text.
    private static JsonNode Texts(Fields from, string name)
    {
        if (from.Any(name) is { ValueKind: JsonValueKind.String } text) return text.GetString()!;
        var blocks = from.List(name, MessageFields.Most)
            ?? throw ApiException.Bad($"{from.PathOf(name)}: expected a text or a list of blocks, found none.");
        var parts = new JsonArray();
        for (var i = 0; i < blocks.Count; i++) parts.Add(ChatBody.TextPart(TextOf(new Fields(blocks[i], $"{from.PathOf(name)}.{i}"))));
        return parts;
    }

    private static void AddUser(JsonArray messages, Fields message)
    {
        if (message.Any("content") is { ValueKind: JsonValueKind.String } text)
        {
            messages.Add(new JsonObject { ["role"] = "user", ["content"] = text.GetString() });
            return;
        }
        var texts = new JsonArray();
        foreach (var block in Blocks(message))
        {
            if (block.Text("type") == "tool_result")
            {
                Flush();
                messages.Add(Result(block));
            }
            else texts.Add(ChatBody.TextPart(TextOf(block)));
        }
        Flush();

        void Flush()
        {
            if (texts.Count == 0) return;
            messages.Add(new JsonObject { ["role"] = "user", ["content"] = texts });
            texts = [];
        }
    }

    private static JsonObject Result(Fields block)
    {
        var id = block.Text("tool_use_id")
            ?? throw ApiException.Bad($"{block.PathOf("tool_use_id")}: expected the call's id, found none.", "messages");
        var content = block.Any("content") is null ? "" : Texts(block, "content");
        var text = content is JsonArray parts ? string.Join('\n', parts.Select(part => (string)part!["text"]!)) : (string)content!;
        // Templates have no field for it, and a model that is not told takes a failure for a result.
        if (block.Flag("is_error") == true && !text.StartsWith("error", StringComparison.OrdinalIgnoreCase)) text = $"Error: {text}";
        return new JsonObject { ["role"] = "tool", ["tool_call_id"] = id, ["content"] = text };
    }

    private static JsonObject Assistant(Fields message, bool isLast)
    {
        if (message.Any("content") is { ValueKind: JsonValueKind.String } text)
            return new JsonObject { ["role"] = "assistant", ["content"] = text.GetString() };
        var (thinking, texts, calls) = (new List<string>(), new JsonArray(), new JsonArray());
        foreach (var block in Blocks(message))
        {
            switch (block.Text("type"))
            {
                case "thinking":
                    // Its signature is not looked at: thinking that another server signed is as good.
                    thinking.Add(block.Text("thinking") ?? "");
                    break;
                case "redacted_thinking":
                    break;
                case "tool_use":
                    calls.Add(Call(block));
                    break;
                default:
                    texts.Add(ChatBody.TextPart(TextOf(block)));
                    break;
            }
        }
        if (isLast && calls.Count > 0)
            throw ApiException.Bad($"{message.PathOf("content")}: expected a message behind it with a tool_result for each tool_use, found none.",
                "messages");
        var read = new JsonObject { ["role"] = "assistant" };
        if (texts.Count > 0) read["content"] = texts;
        if (thinking.Count > 0) read["reasoning"] = string.Join('\n', thinking);
        if (calls.Count > 0) read["tool_calls"] = calls;
        return read;
    }

    private static JsonObject Call(Fields block) => new()
    {
        ["id"] = block.Text("id") ?? throw ApiException.Bad($"{block.PathOf("id")}: expected the call's id, found none.", "messages"),
        ["type"] = "function",
        ["function"] = new JsonObject
        {
            ["name"] = block.Text("name") ?? throw ApiException.Bad($"{block.PathOf("name")}: expected a tool's name, found none.", "messages"),
            ["arguments"] = block.Object("input") is { } input ? ChatBody.Node(input.Element) : new JsonObject(),
        },
    };

    private static IEnumerable<Fields> Blocks(Fields message)
    {
        var blocks = message.List("content", MessageFields.Most)
            ?? throw ApiException.Bad($"{message.PathOf("content")}: expected a text or a list of blocks, found none.", "messages");
        return blocks.Select((block, i) => new Fields(block, $"{message.PathOf("content")}.{i}"));
    }

    private static string TextOf(Fields block) => block.Text("type") switch
    {
        "text" => block.Text("text") ?? throw ApiException.Bad($"{block.PathOf("text")}: expected a text, found none.", "messages"),
        var other => throw ApiException.Bad($"{block.PathOf("type")}: expected text, which is all this model reads, found a block of type " +
            $"{Fields.Shown(other ?? "none")}.", "messages"),
    };
}
