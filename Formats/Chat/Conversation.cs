using System.Text.Json;
using System.Text.Json.Nodes;

namespace Quilt.Formats.Chat;

/// <summary>
/// Messages, tools and whatever else a chat template is given. Messages are kept as they came, so that a template sees every key in its order.
/// </summary>
public sealed class Conversation
{
    private readonly List<JsonElement> messages = [];
    private readonly Dictionary<string, JsonElement> variables = new(StringComparer.Ordinal);

    /// <summary>The messages in OpenAI's form, oldest first.</summary>
    public IReadOnlyList<JsonElement> Messages => messages;

    /// <summary>The tools in OpenAI's form, a list; null where there are none.</summary>
    public JsonElement? Tools { get; set; }

    /// <summary>Whether the prompt ends where the assistant is to speak.</summary>
    public bool AddGenerationPrompt { get; set; } = true;

    /// <summary>
    /// Whether the prompt ends inside the last message, which the model then goes on with (continue_final_message); no message of the assistant's is
    /// begun then, whatever <see cref="AddGenerationPrompt"/> says.
    /// </summary>
    public bool ContinueFinalMessage { get; set; }

    /// <summary>Further variables for the template, by name.</summary>
    public IReadOnlyDictionary<string, JsonElement> Variables => variables;

    /// <summary>
    /// Reads <c>{"messages": […], "tools": […], "add_generation_prompt": true, …}</c>; any other key becomes a variable of the template.
    /// </summary>
    /// <param name="json">UTF-8.</param>
    /// <param name="source">What to call it in messages.</param>
    /// <exception cref="BadInputException">It is no such object; the message names the key.</exception>
    public static Conversation Read(ReadOnlyMemory<byte> json, string source)
    {
        var root = JsonText.ParseObject(json, source);
        if (!root.TryGetProperty("messages", out var list) || list.ValueKind != JsonValueKind.Array)
            throw new BadInputException(source, "messages", "expected a list of messages");
        var conversation = new Conversation();
        foreach (var (message, i) in list.EnumerateArray().Select((m, i) => (m, i)))
        {
            if (message.ValueKind != JsonValueKind.Object)
                throw new BadInputException(source, $"messages[{i}]", $"expected an object, found {message.ValueKind}");
            conversation.messages.Add(message);
        }
        foreach (var property in root.EnumerateObject())
        {
            switch (property.Name)
            {
                case "messages": break;
                case "tools":
                    if (property.Value.ValueKind is not (JsonValueKind.Array or JsonValueKind.Null))
                        throw new BadInputException(source, "tools", $"expected a list or null, found {property.Value.ValueKind}");
                    if (property.Value.ValueKind == JsonValueKind.Array) conversation.Tools = property.Value;
                    break;
                case "add_generation_prompt":
                    if (property.Value.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
                        throw new BadInputException(source, "add_generation_prompt", $"expected true or false, found {property.Value.ValueKind}");
                    conversation.AddGenerationPrompt = property.Value.GetBoolean();
                    break;
                case "continue_final_message":
                    if (property.Value.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
                        throw new BadInputException(source, "continue_final_message", $"expected true or false, found {property.Value.ValueKind}");
                    conversation.ContinueFinalMessage = property.Value.GetBoolean();
                    break;
                default:
                    conversation.variables[property.Name] = property.Value;
                    break;
            }
        }
        if (conversation.ContinueFinalMessage && root.TryGetProperty("add_generation_prompt", out var adds) && adds.ValueKind == JsonValueKind.True)
        {
            throw new BadInputException(source, "continue_final_message",
                "Cannot set both `continue_final_message` and `add_generation_prompt` to True.");
        }
        return conversation;
    }

    /// <summary>Appends a message of plain text.</summary>
    /// <param name="role">system, user, assistant or tool.</param>
    /// <param name="content">The text.</param>
    /// <returns>This conversation.</returns>
    public Conversation Add(string role, string content) => Add(new JsonObject { ["role"] = role, ["content"] = content });

    /// <summary>Appends a message with any keys, e.g. reasoning_content or tool_calls.</summary>
    /// <returns>This conversation.</returns>
    public Conversation Add(JsonObject message)
    {
        ArgumentNullException.ThrowIfNull(message);
        using var document = JsonDocument.Parse(message.ToJsonString());
        messages.Add(document.RootElement.Clone());
        return this;
    }

    /// <summary>Sets a variable of the template.</summary>
    public void SetVariable(string name, JsonElement value) => variables[name] = value.Clone();

    /// <summary>Forgets all messages from one on.</summary>
    public void Truncate(int count) => messages.RemoveRange(count, messages.Count - count);
}
