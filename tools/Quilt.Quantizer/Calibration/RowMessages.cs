using System.Text.Json;
using System.Text.Json.Nodes;
using Quilt.Formats;
using Quilt.Formats.Chat.Jinja;
using Quilt.Formats.Checkpoints;

namespace Quilt.Quantizer.Calibration;

/// <summary>The six formatters: from the columns of a row to messages.</summary>
internal sealed class RowMessages(CalibrationEntry entry, CalibrationNotes notes)
{
    private const string Role = "role";
    private const string Content = "content";
    private const string Reasoning = "reasoning_content";

    /// <summary>Their names.</summary>
    public static readonly IReadOnlyList<string> Formatters =
        ["chat_completion", "chat_completion_with_sysprompt", "sharegpt", "prompt_answer", "raw_text", "deepmind_code_contests"];

    /// <summary>A row's messages.</summary>
    /// <param name="row">The row.</param>
    /// <param name="prefix">For raw_text: what the user says before; nothing where it is empty.</param>
    /// <exception cref="BadInputException">A column is missing, or holds something else than the formatter reads.</exception>
    public List<JsonObject> Of(CalibrationRow row, string prefix)
    {
        var columns = entry.Columns.Select(column => row.Values.TryGetProperty(column, out var value) ? value
            : throw row.Bad($"expected the column {column}, found {string.Join(", ", row.Values.EnumerateObject().Select(p => p.Name))}")).ToArray();
        return entry.Formatter switch
        {
            "chat_completion" => [.. Items(row, columns[0]).Select(item => Said(row, item))],
            "chat_completion_with_sysprompt" => WithSystem(row, columns[0], columns[1]),
            "sharegpt" => ShareGpt(columns[0]),
            "prompt_answer" => [.. IfAny("user", columns[0]), .. IfAny("assistant", columns[1])],
            "raw_text" => RawText(columns[0], prefix),
            _ => CodeContest(row, columns[0]),
        };
    }

    // A message as it is; what an assistant thought before it spoke becomes part of what it says.
    private static JsonObject Said(CalibrationRow row, JsonElement message)
    {
        if (message.ValueKind != JsonValueKind.Object) throw row.Bad($"expected messages, found {message.ValueKind} among them");
        var said = JsonObject.Create(message)!;
        if (!message.TryGetProperty(Reasoning, out var thought)) return said;
        said.Remove(Reasoning);
        if (IsTrue(thought) && message.TryGetProperty(Role, out var role) && role.ValueKind == JsonValueKind.String && role.ValueEquals("assistant"))
            said[Content] = $"<think>{Text(thought)}</think>\n{(message.TryGetProperty(Content, out var content) ? Text(content) : "")}";
        return said;
    }

    private List<JsonObject> WithSystem(CalibrationRow row, JsonElement system, JsonElement conversation)
    {
        List<JsonObject> messages = [.. IfAny("system", system)];
        foreach (var turn in Items(row, conversation))
        {
            if (!Turn(turn, "from", "value", out var role, out var content) && !Turn(turn, Role, Content, out role, out content)) continue;
            if (role.ValueKind == JsonValueKind.String && role.GetString() is "user" or "assistant" or "system" or "tool")
                messages.Add(Message(role.GetString()!, content));
            else
                notes.Warn(FormattableString.Invariant(
                    $"{entry.Name}, row {row.Number}: a message of the role {ConfigJson.Short(role)}, which is none, is skipped"));
        }
        return messages;
    }

    private static List<JsonObject> ShareGpt(JsonElement conversation)
    {
        var messages = new List<JsonObject>();
        if (conversation.ValueKind != JsonValueKind.Array) return messages;
        foreach (var turn in conversation.EnumerateArray())
        {
            if (!Turn(turn, "from", "value", out var from, out var value)) continue;
            var name = from.ValueKind == JsonValueKind.String ? from.GetString() : null;
            messages.Add(Message(name switch { "system" => "system", "gpt" => "assistant", _ => "user" }, value));
        }
        return messages;
    }

    private static List<JsonObject> RawText(JsonElement text, string prefix)
    {
        if (!IsTrue(text)) return [];
        return prefix.Length == 0 ? [Message("assistant", text)] : [new() { [Role] = "user", [Content] = prefix }, Message("assistant", text)];
    }

    // The column is the contest itself, or names any of its columns.
    private static List<JsonObject> CodeContest(CalibrationRow row, JsonElement column)
    {
        var contest = column.ValueKind == JsonValueKind.Object ? column : row.Values;
        if (!contest.TryGetProperty("description", out var description)) throw row.Bad("expected a description of the contest, found none");
        var first = contest.TryGetProperty("solutions", out var solutions) && solutions.ValueKind == JsonValueKind.Object
            && solutions.TryGetProperty("solution", out var list) && list.ValueKind == JsonValueKind.Array && list.GetArrayLength() > 0
            ? list[0]
            : default;
        return [.. IfAny("user", description), .. IfAny("assistant", first)];
    }

    private JsonElement.ArrayEnumerator Items(CalibrationRow row, JsonElement list) => list.ValueKind == JsonValueKind.Array
        ? list.EnumerateArray()
        : throw row.Bad($"{entry.Formatter} expects a list of messages in {entry.Columns[^1]}, found {list.ValueKind}");

    private static bool Turn(JsonElement turn, string roleKey, string contentKey, out JsonElement role, out JsonElement content)
    {
        role = content = default;
        return turn.ValueKind == JsonValueKind.Object && turn.TryGetProperty(roleKey, out role) && turn.TryGetProperty(contentKey, out content);
    }

    private static IEnumerable<JsonObject> IfAny(string role, JsonElement content) => IsTrue(content) ? [Message(role, content)] : [];

    private static JsonObject Message(string role, JsonElement content) => new() { [Role] = role, [Content] = JsonNode.Parse(content.GetRawText()) };

    private static bool IsTrue(JsonElement value) => value.ValueKind != JsonValueKind.Undefined && Python.IsTrue(Template.FromJson(value));

    private static string Text(JsonElement value) => value.ValueKind == JsonValueKind.Null ? "" : Python.Str(Template.FromJson(value));
}
