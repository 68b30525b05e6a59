using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using Quilt.Runtime;

namespace Quilt.Hosting.Chat;

/// <summary>From tools of Microsoft.Extensions.AI to those of OpenAI's form, and from its tool mode to what a reply is held to.</summary>
internal static class ChatTools
{
    /// <summary>The tools, a list in OpenAI's form; null where there are none.</summary>
    /// <exception cref="NotSupportedException">One is no function.</exception>
    public static JsonElement? Declare(IList<AITool>? tools)
    {
        if (tools is null || tools.Count == 0) return null;
        var list = new JsonArray();
        foreach (var tool in tools)
        {
            if (tool.GetService<AIFunctionDeclaration>() is not { } function)
                throw new NotSupportedException($"Tools: expected functions, found {tool.GetType().Name} '{tool.Name}'.");
            var declared = new JsonObject
            {
                ["name"] = function.Name,
                ["description"] = function.Description,
                ["parameters"] = JsonNode.Parse(function.JsonSchema.GetRawText()),
            };
            if (function.AdditionalProperties.TryGetValue("strict", out var strict) && strict is bool isStrict) declared["strict"] = isStrict;
            list.Add(new JsonObject { ["type"] = "function", ["function"] = declared });
        }
        using var document = JsonDocument.Parse(list.ToJsonString());
        return document.RootElement.Clone();
    }

    /// <summary>Which tools the reply has to call; null where that is left to the model.</summary>
    /// <exception cref="ArgumentException">A tool is required that there is not.</exception>
    public static ToolChoice? Choose(ChatToolMode? mode, IList<AITool>? tools)
    {
        if (mode is not RequiredChatToolMode required) return null;
        if (tools is null || tools.Count == 0) throw new ArgumentException("ToolMode: expected tools to choose from, found none.");
        if (required.RequiredFunctionName is not { } name) return ToolChoice.Required;
        return tools.Any(tool => tool.Name == name)
            ? ToolChoice.Named(name)
            : throw new ArgumentException($"ToolMode: expected the name of one of the tools, found '{name}'.");
    }
}
