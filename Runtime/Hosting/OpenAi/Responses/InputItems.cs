using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Quilt.Hosting.Http;

namespace Quilt.Hosting.OpenAi.Responses;

/// <summary>
/// The items of a Responses request as chat messages. What belongs to one turn of the assistant's, its thinking, its text and its calls, are items of
/// their own there and one message here.
/// </summary>
internal sealed class InputItems
{
    // Not a secret: a mark by which thinking that went through a client is known again.
    private const string Mark = "quilt:";
    private readonly JsonArray messages = [];
    private JsonObject? turn;

    /// <summary>The messages of <c>input</c>.</summary>
    /// <exception cref="ApiException">An item is none, or one that this server does not have.</exception>
    public static JsonArray Read(Fields body)
    {
        var items = new InputItems();
        if (body.Any("input") is { ValueKind: JsonValueKind.String } text) items.Add("user", text.GetString()!);
        else
        {
            var list = body.List("input", MessageFields.Most)
                ?? throw ApiException.Bad("input: expected a text or a list of items, found none.", "input");
            for (var i = 0; i < list.Count; i++) items.Take(new Fields(list[i], $"body.input.{i}"));
        }
        items.Flush();
        return items.messages;
    }

    /// <summary>Thinking as clients get it that keep no more of it than this (<c>encrypted_content</c>).</summary>
    public static string Sealed(string thinking) => Mark + Convert.ToBase64String(Encoding.UTF8.GetBytes(thinking));

    private void Take(Fields item)
    {
        switch (item.Text("type"))
        {
            case null or "message":
                Message(item);
                break;
            case "reasoning":
                Think(Thinking(item));
                break;
            case "function_call":
                Call(item);
                break;
            case "function_call_output":
                var id = item.Text("call_id") ?? throw ApiException.Bad($"{item.PathOf("call_id")}: expected the call's id, found none.", "input");
                Add("tool", item.Any("output") is null ? "" : Texts(item, "output"))["tool_call_id"] = id;
                break;
            case var other:
                throw ApiException.Bad($"{item.PathOf("type")}: expected message, reasoning, function_call or function_call_output, found " +
                    $"{Fields.Shown(other)}.", "input");
        }
    }

    private void Message(Fields item)
    {
        var role = item.Text("role") switch
        {
            "user" => "user",
            "assistant" => "assistant",
            // The newer name for it, which templates do not know.
            "system" or "developer" => "system",
            var other => throw ApiException.Bad($"{item.PathOf("role")}: expected user, assistant, system or developer, found " +
                $"{Fields.Shown(other ?? "none")}.", "input"),
        };
        if (role != "assistant")
        {
            Add(role, Texts(item, "content"));
            return;
        }
        // Text behind a call, or behind thinking, belongs to their turn; behind text it is another.
        if (turn is not null && turn.ContainsKey("content") && !turn.ContainsKey("tool_calls")) Flush();
        turn ??= new JsonObject { ["role"] = "assistant" };
        if (turn["content"] is not JsonArray content) turn["content"] = content = [];
        var texts = Texts(item, "content");
        if (texts is JsonArray parts)
        {
            foreach (var part in parts) content.Add(part!.DeepClone());
        }
        else content.Add(ChatBody.TextPart((string)texts!));
    }

    private void Think(string thinking)
    {
        if (turn is not null && (turn.ContainsKey("content") || turn.ContainsKey("tool_calls"))) Flush();
        turn ??= new JsonObject { ["role"] = "assistant" };
        turn["reasoning"] = turn["reasoning"] is { } before ? $"{before}\n{thinking}" : thinking;
    }

    private void Call(Fields item)
    {
        turn ??= new JsonObject { ["role"] = "assistant" };
        if (turn["tool_calls"] is not JsonArray calls) turn["tool_calls"] = calls = [];
        calls.Add(new JsonObject
        {
            ["id"] = item.Text("call_id") ?? throw ApiException.Bad($"{item.PathOf("call_id")}: expected the call's id, found none.", "input"),
            ["type"] = "function",
            ["function"] = new JsonObject
            {
                ["name"] = item.Text("name") ?? throw ApiException.Bad($"{item.PathOf("name")}: expected a tool's name, found none.", "input"),
                ["arguments"] = item.Text("arguments") ?? "{}",
            },
        });
    }

    // The whole of it where it is there, else what this server sealed, else a summary.
    private static string Thinking(Fields item)
    {
        if (Joined(item, "content") is { Length: > 0 } whole) return whole;
        if (item.Text("encrypted_content") is { } own && own.StartsWith(Mark, StringComparison.Ordinal))
        {
            var bytes = new byte[own.Length];
            if (Convert.TryFromBase64Chars(own.AsSpan(Mark.Length), bytes, out var length)) return Encoding.UTF8.GetString(bytes, 0, length);
        }
        return Joined(item, "summary") ?? "";
    }

    private static string? Joined(Fields item, string name)
    {
        if (item.List(name, MessageFields.Most) is not { } parts) return null;
        return string.Join('\n', parts.Select((part, i) => new Fields(part, $"{item.PathOf(name)}.{i}").Text("text") ?? ""));
    }

    // A text, or parts of text.
    private static JsonNode Texts(Fields item, string name)
    {
        if (item.Any(name) is { ValueKind: JsonValueKind.String } text) return text.GetString()!;
        var list = item.List(name, MessageFields.Most)
            ?? throw ApiException.Bad($"{item.PathOf(name)}: expected a text or a list of parts, found none.", "input");
        return new JsonArray([.. list.Select((part, i) => (JsonNode)ChatBody.TextPart(MessageFields.TextOf(part, $"{item.PathOf(name)}.{i}")))]);
    }

    private JsonObject Add(string role, JsonNode content)
    {
        Flush();
        var message = new JsonObject { ["role"] = role, ["content"] = content };
        messages.Add(message);
        return message;
    }

    private void Flush()
    {
        if (turn is not null) messages.Add(turn);
        turn = null;
    }
}
