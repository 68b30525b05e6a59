using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace Quilt.Hosting.Chat;

/// <summary>What a tool gave back, as the text that a model reads.</summary>
internal static class ToolResults
{
    /// <summary>The text: a string as it is, several contents on lines of their own, anything else as JSON.</summary>
    public static string Text(FunctionResultContent result) => result.Result switch
    {
        null => result.Exception is { } thrown ? $"Error: {thrown.Message}" : "",
        string text => text,
        TextContent said => said.Text,
        JsonElement { ValueKind: JsonValueKind.String } text => text.GetString()!,
        IEnumerable<AIContent> contents => string.Join('\n', contents.Select(content => content is TextContent said
            ? said.Text
            : throw new NotSupportedException($"result of call '{result.CallId}': expected text, found {content.GetType().Name}."))),
        var other => Node(other)?.ToJsonString(Plain) ?? "",
    };

    /// <summary>A value as JSON; numbers that came as JSON stay as they were written.</summary>
    /// <exception cref="ArgumentException">It cannot be written as JSON.</exception>
    public static JsonNode? Node(object? value)
    {
        if (value is null) return null;
        try
        {
            return JsonSerializer.SerializeToNode(value, AIJsonUtilities.DefaultOptions.GetTypeInfo(value.GetType()));
        }
        catch (Exception e) when (e is JsonException or NotSupportedException or InvalidOperationException)
        {
            throw new ArgumentException($"expected a value that can be written as JSON, found {value.GetType().Name}: {e.Message}", e);
        }
    }

    // Models read letters, not escapes.
    private static readonly JsonSerializerOptions Plain = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
