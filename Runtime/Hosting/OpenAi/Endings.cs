using System.Text.Json;
using Quilt.Runtime;

namespace Quilt.Hosting.OpenAi;

/// <summary>How a reply ended, in OpenAI's words and vLLM's.</summary>
internal static class Endings
{
    /// <summary>The finish_reason.</summary>
    public static string Reason(GenerationEnd end, bool hasCalls) => end.Reason switch
    {
        FinishReason.Stop => hasCalls ? "tool_calls" : "stop",
        FinishReason.Length => "length",
        FinishReason.Repetition => "repetition",
        FinishReason.Error => "error",
        _ => "abort",
    };

    /// <summary>Writes both into a piece of a stream.</summary>
    public static void Write(Utf8JsonWriter json, GenerationEnd end, bool hasCalls)
    {
        json.WriteString("finish_reason"u8, Reason(end, hasCalls));
        if (end.StopText is { } text) json.WriteString("stop_reason"u8, text);
        else if (end.StopToken is { } token) json.WriteNumber("stop_reason"u8, token);
        else json.WriteNull("stop_reason"u8);
    }

    /// <summary>The stop_reason: the text or token of the request that ended it; null for the model's own end.</summary>
    public static JsonElement? Stop(GenerationEnd end)
    {
        if (end.StopText is { } text) return JsonSerializer.SerializeToElement(text, Wire.WireJson.Default.String);
        return end.StopToken is { } token ? JsonSerializer.SerializeToElement(token, Wire.WireJson.Default.Int32) : null;
    }
}
