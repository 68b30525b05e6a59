namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// LFM2: <c>&lt;|tool_call_start|&gt;[f(a="x", n=1), …]&lt;|tool_call_end|&gt;</c>, calls as Python writes them, which are read as data and never
/// evaluated, or the same as JSON, <c>[{"name": "f", "arguments": {…}}]</c>; thinking in <c>&lt;think&gt;</c>. Sources: the chat template of LFM2.5;
/// vLLM's lfm2_tool_parser.py at 011cde7 and SGLang's lfm2_detector.py at 02caf64.
/// </summary>
internal sealed class Lfm2Reply(ReplyOptions options) : JsonCallsReply(options, markers, arguments: new PythonRelay(isCall: true))
{
    /// <summary>How thinking begins.</summary>
    internal static readonly string[] Openings = [Think];

    private const string Think = "<think>", EndThink = "</think>", Begin = "<|tool_call_start|>", End = "<|tool_call_end|>";
    private static readonly string[] markers = [Think, EndThink, Begin, End];

    private protected override JsonCallMatchers Matchers { get; } = CreateMatchers();

    private protected override Heads Heads => Heads.InLists;

    private protected override char ArgumentsBegin => '(';

    // An expression's name: words with points between them, and with dashes, which declared names may hold.
    private protected override string? NameIn(string head)
    {
        foreach (var c in head.AsSpan().Trim())
        {
            if (!char.IsLetterOrDigit(c) && c is not ('_' or '.' or '-')) return null;
        }
        // Outside of a list it may be prose with something in parentheses.
        return Name(head) is { } name && (IsList || Tools.Find(name).Tool is not null) ? name : null;
    }

    private static JsonCallMatchers CreateMatchers()
    {
        var calls = WithThinking(Think, EndThink, (Marker.BeginCall, Begin), (Marker.EndCall, End));
        return new(WithThinking(Think, EndThink), calls, calls, calls, calls);
    }
}
