namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// Qwen3-Coder, and Step and Nemotron 3, which write alike:
/// <c>&lt;tool_call&gt;&lt;function=f&gt;&lt;parameter=p&gt;⏎…⏎&lt;/parameter&gt;&lt;/function&gt;&lt;/tool_call&gt;</c>. Of a value only one line
/// break at each end is markup, as the template writes it: what is left may be code. Source: Qwen3-Coder's chat template.
/// </summary>
internal sealed class Qwen3CoderReply(ReplyOptions options)
    : TagCallsReply(options with { Arguments = options.Arguments with { Edge = ValueEdge.OneLineBreak } }, Think, "</think>", Tags)
{
    private const string Think = "<think>";

    /// <summary>How thinking begins.</summary>
    internal static readonly string[] Openings = [Think];

    /// <summary>Its tags.</summary>
    internal static readonly CallTags Tags = new(
        "<tool_call>", "</tool_call>", "<*function*=", "<*function*>", "<function=", "<*/*function*>", "<*parameter*=", "<*/*parameter*>");
}
