using System.Text.Json;
using System.Text.Json.Nodes;
using Quilt.Hosting.Http;
using Quilt.Runtime;

namespace Quilt.Hosting.OpenAi;

/// <summary>What a request says of tools.</summary>
/// <param name="List">The tools as the template sees them; null: none.</param>
/// <param name="Choice">Which it must call; null: whichever it likes.</param>
/// <param name="IsNone">Whether calls are not looked for in the reply.</param>
internal sealed record ToolFields(JsonElement? List, ToolChoice? Choice, bool IsNone)
{
    private const int MostTools = 1024;
    private const string Usage = "Correct usage: `{\"type\": \"function\", \"function\": {\"name\": \"my_function\"}}`";

    /// <summary>Reads <c>tools</c> and <c>tool_choice</c>.</summary>
    /// <param name="body">The request.</param>
    /// <param name="hasParser">Whether the model's calls can be read.</param>
    /// <param name="leavesOut">Whether the tools are left out of the prompt where none may be called.</param>
    /// <exception cref="ApiException">They do not fit each other, or nobody could read the calls.</exception>
    public static ToolFields Read(Fields body, bool hasParser, bool leavesOut)
    {
        var tools = Tools(body);
        var choice = body.Any("tool_choice");
        if (tools is null)
        {
            if (choice is { } alone && !IsWord(alone, "none") && !IsWord(alone, "auto"))
                throw ApiException.Bad("When using `tool_choice`, `tools` must be set.", "tool_choice");
            return new(null, null, IsNone: true);
        }
        if (choice is null || IsWord(choice.Value, "auto"))
        {
            return hasParser ? new(tools, null, IsNone: false)
                : throw ApiException.Bad("\"auto\" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set");
        }
        if (IsWord(choice.Value, "none")) return new(leavesOut ? null : tools, null, IsNone: true);
        if (IsWord(choice.Value, "required"))
        {
            return hasParser ? new(tools, ToolChoice.Required, IsNone: false)
                : throw ApiException.Bad("tool_choice=\"required\" requires --tool-call-parser to be set");
        }
        var name = Named(choice.Value);
        if (!tools.Value.EnumerateArray().Any(tool => tool.GetProperty("function").GetProperty("name").GetString() == name))
            throw ApiException.Bad("The tool specified in `tool_choice` does not match any of the specified `tools`.", "tool_choice");
        return hasParser ? new(tools, ToolChoice.Named(name), IsNone: false)
            : throw ApiException.Bad($"tool_choice=function \"{Fields.Shown(name)}\" requires --tool-call-parser to be set");
    }

    private static string Named(JsonElement choice)
    {
        if (choice.ValueKind != JsonValueKind.Object)
        {
            throw ApiException.Bad($"Invalid value for `tool_choice`: {Fields.Shown(choice)}! Only named tools, \"none\", \"auto\" or \"required\" " +
                "are supported.", "tool_choice");
        }
        var fields = new Fields(choice, "body.tool_choice");
        // {"type": "function", "name": "f"} is how the Responses API has it.
        if (fields.Text("name") is { Length: > 0 } flat) return flat;
        if (fields.Object("function") is not { } function)
            throw ApiException.Bad($"Expected field `function` in `tool_choice`. {Usage}", "tool_choice.function");
        return function.Text("name") is { Length: > 0 } name
            ? name
            : throw ApiException.Bad($"Expected field `name` in `function` in `tool_choice`. {Usage}", "tool_choice.function.name");
    }

    // The text of tools reaches the prompt: keys in vLLM's order, those that it does not know left out.
    private static JsonElement? Tools(Fields body)
    {
        if (body.List("tools", MostTools) is not { Count: > 0 } list) return null;
        var tools = new JsonArray();
        foreach (var (item, i) in list.Select((item, i) => (item, i)))
        {
            var tool = new Fields(item, $"body.tools.{i}");
            if (tool.Text("type") is { } type and not "function")
                throw ApiException.Bad($"{tool.PathOf("type")}: expected function, found {Fields.Shown(type)}.", "tools");
            var function = tool.Object("function") ?? tool;
            var name = function.Text("name") is { Length: > 0 } given ? given
                : throw ApiException.Bad($"{function.PathOf("name")}: expected a string, found none.", "tools");
            var read = new JsonObject
            {
                ["name"] = name,
                ["description"] = function.Text("description"),
                ["parameters"] = Node(function.Object("parameters")?.Element),
            };
            if (function.Flag("strict") is { } strict) read["strict"] = strict;
            if (function.Flag("defer_loading") is { } later) read["defer_loading"] = later;
            tools.Add(new JsonObject { ["type"] = "function", ["function"] = read });
        }
        return JsonSerializer.SerializeToElement(tools, Wire.WireJson.Default.JsonArray);
    }

    private static JsonNode? Node(JsonElement? value) => value is { } given ? JsonNode.Parse(given.GetRawText()) : null;

    private static bool IsWord(JsonElement value, string word) => value.ValueKind == JsonValueKind.String && value.ValueEquals(word);
}
