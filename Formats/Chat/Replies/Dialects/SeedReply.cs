namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// Seed-OSS: Qwen3-Coder's calls in a block of its own, <c>&lt;seed:tool_call&gt;</c>, thinking in <c>&lt;seed:think&gt;</c>. Source: Seed-OSS's chat
/// template.
/// </summary>
internal sealed class SeedReply(ReplyOptions options)
    : TagCallsReply(options with { Arguments = options.Arguments with { Edge = ValueEdge.OneLineBreak } }, Think, "</seed:think>", tags)
{
    private const string Think = "<seed:think>";

    /// <summary>How thinking begins.</summary>
    internal static readonly string[] Openings = [Think];

    private static readonly CallTags tags = Qwen3CoderReply.Tags with { Begin = "<seed:tool_call>", End = "</seed:tool_call>" };
}
