using Quilt.Formats.Chat.Replies;

namespace Quilt.Cli.Serve;

/// <summary>
/// vLLM's names of parsers, by which people ask for them, and the dialects that they are here: one dialect reads thinking and calls.
/// </summary>
internal static class ReplyParsers
{
    private const string AppendThink = "minimax_m2_append_think";

    private static readonly Dictionary<string, string> OfCalls = new(StringComparer.Ordinal)
    {
        ["qwen3_xml"] = "qwen3_coder", ["step3p5"] = "qwen3_coder", ["nemotron_v3"] = "qwen3_coder", ["openai"] = "harmony", ["gpt_oss"] = "harmony",
        ["glm47"] = "glm45", ["granite3"] = "granite", ["cohere_command3"] = "cohere", ["llama4_json"] = "llama3_json", ["llama"] = "llama3_json",
        ["none"] = "think",
    };

    private static readonly Dictionary<string, string> OfThinking = new(StringComparer.Ordinal)
    {
        ["deepseek_r1"] = "think", ["deepseek_v3"] = "think", ["qwen3"] = "think", ["glm45"] = "think", ["holo2"] = "think", ["ernie45"] = "think",
        ["openai_gptoss"] = "harmony", ["gpt_oss"] = "harmony", ["mistral"] = "mistral", ["granite"] = "granite", ["none"] = "text",
    };

    /// <summary>The dialect that was asked for; null: what the chat template tells.</summary>
    /// <param name="calls">--tool-call-parser.</param>
    /// <param name="thinking">--reasoning-parser.</param>
    /// <exception cref="UsageException">There is no such parser.</exception>
    public static string? Find(string? calls, string? thinking)
    {
        var ofCalls = Named("--tool-call-parser", calls, OfCalls);
        var ofThinking = Named("--reasoning-parser", thinking, OfThinking);
        // Thinking that stays in the text is asked for by the reasoning parser's name; calls are those of the same model.
        if (ofThinking == AppendThink) return AppendThink;
        return ofCalls ?? (ofThinking is "think" or "text" && calls is null ? null : ofThinking);
    }

    private static string? Named(string option, string? name, Dictionary<string, string> others)
    {
        if (name is null) return null;
        if (others.TryGetValue(name, out var other)) return other;
        return ReplyParser.Dialects.Contains(name) ? name
            : throw new UsageException(
                $"{option}: expected one of {string.Join(", ", ReplyParser.Dialects.Concat(others.Keys).Distinct().Order())}, " +
                $"found '{name}'");
    }
}
