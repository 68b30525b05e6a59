namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// Kimi K2:
/// <c>&lt;|tool_calls_section_begin|&gt;&lt;|tool_call_begin|&gt;functions.f:0
/// &lt;|tool_call_argument_begin|&gt;{…}&lt;|tool_call_end|&gt;&lt;|tool_calls_section_end|&gt;</c>,
/// thinking in <c>&lt;think&gt;</c>. A call needs no section around it; the model also writes a section's markers in the singular. Sources: Kimi K2's
/// chat template and its guide to tool calls; vLLM's kimi_k2 parser.
/// </summary>
internal sealed class KimiReply(ReplyOptions options) : JsonCallsReply(options, markers)
{
    /// <summary>How thinking begins.</summary>
    internal static readonly string[] Openings = [Think];

    private const string Think = "<think>", EndThink = "</think>", Section = "<|tool_calls_section_begin|>",
        EndSection = "<|tool_calls_section_end|>", OneSection = "<|tool_call_section_begin|>", EndOneSection = "<|tool_call_section_end|>";
    private const string Begin = "<|tool_call_begin|>", Argument = "<|tool_call_argument_begin|>", End = "<|tool_call_end|>", Prefix = "functions.";
    private static readonly string[] markers = [Think, EndThink, Section, EndSection, Begin, Argument, End, OneSection, EndOneSection];

    private protected override JsonCallMatchers Matchers { get; } = CreateMatchers();

    private protected override Heads Heads => Heads.BehindMarkers;

    // functions.NAME:INDEX
    private protected override string? NameIn(string head)
    {
        var id = head.Split(PartEnd)[0].AsSpan().Trim();
        if (id.StartsWith(Prefix)) id = id[Prefix.Length..];
        var name = id.TrimEnd("0123456789");
        return Name(name.Length < id.Length && name.EndsWith(":") ? name[..^1] : id);
    }

    private static JsonCallMatchers CreateMatchers()
    {
        (Marker, string)[] begins = [(Marker.BeginCalls, Section), (Marker.BeginCalls, OneSection), (Marker.BeginCall, Begin)];
        (Marker, string)[] ends = [(Marker.EndCalls, EndSection), (Marker.EndCalls, EndOneSection)];
        (Marker, string)[] calls = [.. begins, .. ends, (Marker.EndCall, End)];
        return new(WithThinking(Think, EndThink), WithThinking(Think, EndThink, [.. begins, .. ends]), WithThinking(Think, EndThink, calls),
            WithThinking(Think, EndThink, [.. calls, (Marker.Separator, Argument)]), WithThinking(Think, EndThink, calls));
    }
}
