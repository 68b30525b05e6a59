using System.Text;
using System.Text.Json;

namespace Quilt.Cluster.Routing;

/// <summary>The text that policies without a tokenizer compare prompts by.</summary>
internal static class RoutingText
{
    /// <summary>
    /// A body's prompt, or the contents of its messages, one a line: the texts of a content in parts with spaces between, nothing of roles, tools,
    /// calls and images. Empty where there is neither.
    /// </summary>
    public static string Of(JsonElement body)
    {
        if (body.ValueKind != JsonValueKind.Object) return "";
        if (!body.TryGetProperty("messages", out var messages) || messages.ValueKind != JsonValueKind.Array)
            return body.TryGetProperty("prompt", out var prompt) ? Prompt(prompt) : "";
        var text = new StringBuilder();
        var first = true;
        foreach (var message in messages.EnumerateArray())
        {
            if (message.ValueKind != JsonValueKind.Object || !message.TryGetProperty("content", out var content)) continue;
            var said = content.ValueKind switch
            {
                JsonValueKind.String => content.GetString(),
                JsonValueKind.Array => string.Join(' ', content.EnumerateArray().Select(Part).Where(part => part is not null)),
                _ => null,
            };
            if (said is null) continue;
            if (!first) text.Append('\n');
            text.Append(said);
            first = false;
        }
        return text.ToString();
    }

    private static string? Part(JsonElement part) =>
        part.ValueKind == JsonValueKind.Object && part.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String
            && type.ValueEquals("text") && part.TryGetProperty("text", out var text) && text.ValueKind == JsonValueKind.String
            ? text.GetString()
            : null;

    // Of a list of prompts the first; token ids as they stand are as good a text as any.
    private static string Prompt(JsonElement prompt) => prompt.ValueKind switch
    {
        JsonValueKind.String => prompt.GetString()!,
        JsonValueKind.Array when prompt.GetArrayLength() > 0 && prompt[0].ValueKind is JsonValueKind.String or JsonValueKind.Array
            => Prompt(prompt[0]),
        JsonValueKind.Array => prompt.GetRawText(),
        _ => "",
    };
}
