using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using Quilt.Formats.Chat;

namespace Quilt.Hosting.Chat;

/// <summary>
/// From messages of Microsoft.Extensions.AI to those of OpenAI's form, which chat templates are given: thinking as <c>reasoning</c> and
/// <c>reasoning_content</c>, calls with their arguments as objects, each result a message of its own.
/// </summary>
internal static class ChatMessages
{
    /// <summary>Appends messages to a conversation.</summary>
    /// <param name="messages">The messages, oldest first.</param>
    /// <param name="instructions">
    /// What comes before all of them as a system message; joined to the first one where that is such a message, since templates honour only one.
    /// </param>
    /// <param name="conversation">Where they go.</param>
    /// <exception cref="NotSupportedException">A message holds what the model cannot read; the message names it.</exception>
    /// <exception cref="ArgumentException">A message cannot be written as JSON.</exception>
    public static void Append(IEnumerable<ChatMessage> messages, string? instructions, Conversation conversation)
    {
        var written = new List<JsonObject>();
        foreach (var (i, message) in messages.Index()) Write(message, i, written);
        if (!string.IsNullOrEmpty(instructions))
        {
            if (written.Count > 0 && (string?)written[0]["role"] == ChatRole.System.Value)
                written[0]["content"] = $"{instructions}\n{(string?)written[0]["content"]}";
            else written.Insert(0, new JsonObject { ["role"] = ChatRole.System.Value, ["content"] = instructions });
        }
        try
        {
            foreach (var message in written) conversation.Add(message);
        }
        catch (JsonException e)
        {
            throw new ArgumentException($"messages: expected contents that can be written as JSON: {e.Message}", e);
        }
    }

    private static void Write(ChatMessage message, int at, List<JsonObject> into)
    {
        var text = new List<string>();
        var thinking = "";
        var calls = new JsonArray();
        var results = 0;
        foreach (var (i, content) in message.Contents.Index())
        {
            switch (content)
            {
                case TextContent said: text.Add(said.Text); break;
                case TextReasoningContent thought: thinking += thought.Text; break;
                case FunctionCallContent call: calls.Add(Call(call)); break;
                case FunctionResultContent result:
                    into.Add(new JsonObject
                    {
                        ["role"] = ChatRole.Tool.Value,
                        ["tool_call_id"] = result.CallId,
                        ["content"] = ToolResults.Text(result),
                    });
                    results++;
                    break;
                // Told along with a reply, not part of it.
                case UsageContent or ErrorContent: break;
                default: throw Unreadable(content, $"messages[{at}].contents[{i}]");
            }
        }
        // Results alone are messages already.
        if (results > 0 && text.Count == 0 && thinking.Length == 0 && calls.Count == 0) return;
        var isAssistant = message.Role == ChatRole.Assistant;
        var body = string.Join(isAssistant ? "" : "\n", text);
        var written = new JsonObject { ["role"] = message.Role.Value };
        if (message.AuthorName is { } name) written["name"] = name;
        if (thinking.Length > 0)
        {
            // Line breaks around thinking belong to the markers, which templates write with their own: without these the prompt is word for word
            // what the model wrote, and still cached.
            thinking = thinking.Trim('\n');
            body = body.TrimStart('\n');
            (written["reasoning"], written["reasoning_content"]) = (thinking, thinking);
        }
        written["content"] = body;
        if (calls.Count > 0) written["tool_calls"] = calls;
        into.Add(written);
    }

    private static JsonObject Call(FunctionCallContent call)
    {
        var arguments = new JsonObject();
        foreach (var (name, value) in call.Arguments ?? new Dictionary<string, object?>()) arguments[name] = ToolResults.Node(value);
        return new JsonObject
        {
            ["id"] = call.CallId,
            ["type"] = "function",
            ["function"] = new JsonObject { ["name"] = call.Name, ["arguments"] = arguments },
        };
    }

    private static NotSupportedException Unreadable(AIContent content, string where)
    {
        var kind = content switch
        {
            DataContent data => $" of {data.MediaType}",
            UriContent uri => $" of {uri.MediaType}",
            _ => "",
        };
        return new($"{where}: expected text, reasoning, calls or results, found {content.GetType().Name}{kind}; the model reads nothing else.");
    }
}
