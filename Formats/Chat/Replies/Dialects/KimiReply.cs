namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// Kimi K2:
/// <c>&lt;|tool_calls_section_begin|&gt;&lt;|tool_call_begin|&gt;functions.f:0
/// &lt;|tool_call_argument_begin|&gt;{…}&lt;|tool_call_end|&gt;&lt;|tool_calls_section_end|&gt;</c>,
/// thinking in <c>&lt;think&gt;</c>. A call needs no section around it. Sources: Kimi K2's chat template and its guide to tool calls.
/// </summary>
internal sealed class KimiReply(ReplyOptions options) : JsonCallsReply(options, markers, Matchers())
{
    private const string Think = "<think>", EndThink = "</think>", Section = "<|tool_calls_section_begin|>",
        EndSection = "<|tool_calls_section_end|>";
    private const string Begin = "<|tool_call_begin|>", Argument = "<|tool_call_argument_begin|>", End = "<|tool_call_end|>", Prefix = "functions.";
    private static readonly string[] markers = [Think, EndThink, Section, EndSection, Begin, Argument, End];

    private protected override bool HasHeads => true;

    // functions.NAME:INDEX
    private protected override string? NameIn(string head)
    {
        var id = head.Split(PartEnd)[0].AsSpan().Trim();
        if (id.StartsWith(Prefix)) id = id[Prefix.Length..];
        var name = id.TrimEnd("0123456789");
        return Name(name.Length < id.Length && name.EndsWith(":") ? name[..^1] : id);
    }

    private static JsonCallMatchers Matchers()
    {
        (Marker, string) section = (Marker.BeginCalls, Section), begin = (Marker.BeginCall, Begin), end = (Marker.EndCall, End),
            endSection = (Marker.EndCalls, EndSection);
        var text = WithThinking(Think, EndThink, section, begin);
        var call = new MarkerMatcher(begin, (Marker.Separator, Argument), end, endSection);
        return new(text, text, new(section, begin, end, endSection), call, new(begin, end, endSection));
    }
}
