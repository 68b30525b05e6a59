using System.Text.Json;

namespace Quilt.Cli.Bench.Serve;

/// <summary>What a server says went wrong, on one line.</summary>
internal static class ErrorText
{
    private const int Longest = 200;

    /// <summary>Of an error's JSON: its message, or all of it; null where it is null.</summary>
    public static string? Of(JsonElement error) => error.ValueKind switch
    {
        JsonValueKind.Null => null,
        JsonValueKind.String => Short(error.GetString()!),
        JsonValueKind.Object when error.TryGetProperty("error", out var inner) => Of(inner),
        JsonValueKind.Object when error.TryGetProperty("message", out var message) && message.ValueKind == JsonValueKind.String =>
            Short(message.GetString()!),
        _ => Short(error.GetRawText()),
    };

    /// <summary>Of the body of an answer that is no success.</summary>
    public static string OfBody(string body)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            return Of(json.RootElement) ?? "";
        }
        catch (JsonException)
        {
            return Short(body);
        }
    }

    private static string Short(string text)
    {
        text = text.ReplaceLineEndings(" ").Trim();
        return text.Length <= Longest ? text : text[..Longest] + "…";
    }
}
