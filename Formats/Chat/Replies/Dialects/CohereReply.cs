namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// Cohere's Command R7B and A: <c>&lt;|START_THINKING|&gt;…&lt;|END_THINKING|&gt;</c>, then either
/// <c>&lt;|START_ACTION|&gt;[{"tool_call_id": "0", "tool_name": "f", "parameters": {…}}, …]&lt;|END_ACTION|&gt;</c> or
/// <c>&lt;|START_RESPONSE|&gt;…&lt;|END_RESPONSE|&gt;</c>, also written <c>&lt;|START_TEXT|&gt;</c>. Sources: the chat template of Command R7B;
/// vLLM's parser/cohere_command.py at 022e555.
/// </summary>
internal sealed class CohereReply(ReplyOptions options) : JsonCallsReply(options, markers, nameKey: "tool_name")
{
    /// <summary>How thinking begins.</summary>
    internal static readonly string[] Openings = [Think];

    private const string Think = "<|START_THINKING|>", EndThink = "<|END_THINKING|>", Begin = "<|START_ACTION|>", End = "<|END_ACTION|>";
    private static readonly string[] frames = ["<|START_RESPONSE|>", "<|END_RESPONSE|>", "<|START_TEXT|>", "<|END_TEXT|>"];
    private static readonly string[] markers = [Think, EndThink, Begin, End, .. frames];

    private protected override JsonCallMatchers Matchers { get; } = CreateMatchers();

    // The answer ends thinking that has no end.
    private protected override void FrameMarker(ReadOnlySpan<char> text)
    {
        if (IsThinking) ThinkingMarker(begins: false, []);
    }

    private static JsonCallMatchers CreateMatchers()
    {
        (Marker, string)[] around = [.. frames.Select(text => (Marker.Frame, text))];
        var calls = WithThinking(Think, EndThink, [.. around, (Marker.BeginCall, Begin), (Marker.EndCall, End)]);
        return new(WithThinking(Think, EndThink, around), calls, calls, calls, calls);
    }
}
