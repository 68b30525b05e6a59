namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// Granite 3: <c>&lt;|tool_call|&gt;[{"name": "f", "arguments": {…}}, …]</c>, also with <c>&lt;tool_call&gt;</c>; the list's end is the block's.
/// Granite 3.2 thinks in words, <c>Here is my thought process:</c> … <c>Here is my response:</c>, Granite 3.3 in <c>&lt;think&gt;</c>, with the
/// answer in <c>&lt;response&gt;</c>. Sources: the chat templates of Granite 3.1 to 3.3; vLLM's granite_tool_parser.py at 037ed06 and
/// granite_reasoning_parser.py at 04dbd8f.
/// </summary>
internal sealed class GraniteReply(ReplyOptions options) : JsonCallsReply(options, markers, firsts: "<H")
{
    /// <summary>How thinking begins; the model also writes the shorter form of the words.</summary>
    internal static readonly string[] Openings = [Think, "Here is my thought process:", "Here's my thought process:"];

    private const string Think = "<think>", EndThink = "</think>", Answer = "<response>", EndAnswer = "</response>";
    private const string Token = "<|tool_call|>", Begin = "<tool_call>", End = "</tool_call>";
    private static readonly string[] markers = [Think, EndThink, Token, Begin, End, Answer, EndAnswer];
    private static readonly (Marker, string)[] beginWords = [.. Openings[1..].Select(text => (Marker.BeginThinking, text))];
    private static readonly (Marker, string)[] endWords =
        [(Marker.EndThinking, "Here is my response:"), (Marker.EndThinking, "Here's my response:")];
    private static readonly (Marker, string)[] calls = [(Marker.BeginCall, Token), (Marker.BeginCall, Begin), (Marker.EndCall, End)];

    private readonly MarkerMatcher atStart = WithThinking(Think, EndThink, [.. calls, .. beginWords, (Marker.Frame, Answer)]);
    private readonly MarkerMatcher atAnswer = WithThinking(Think, EndThink, [.. calls, (Marker.Frame, Answer)]);
    private readonly MarkerMatcher inAnswer = WithThinking(Think, EndThink, [.. calls, (Marker.Frame, EndAnswer)]);
    private readonly MarkerMatcher inWords = WithThinking(Think, EndThink, [.. calls, .. endWords]);
    private readonly MarkerMatcher draftsInWords = WithThinking(Think, EndThink, endWords);
    private bool isTagged;                                   // thinking began with a tag, so that words do not end it
    private bool isFramed;                                   // the answer has tags around it

    private protected override JsonCallMatchers Matchers { get; } = CreateMatchers();

    private protected override bool EndsWithCall => true;

    private protected override MarkerMatcher InText
    {
        get
        {
            if (IsThinking) return isTagged ? base.InText : inWords;
            if (isFramed) return inAnswer;
            return !IsAtStart ? base.InText : HasThought ? atAnswer : atStart;
        }
    }

    private protected override MarkerMatcher AsText => IsThinking && !isTagged ? draftsInWords : base.AsText;

    private protected override void ThinkingMarker(bool begins, ReadOnlySpan<char> text)
    {
        isTagged = begins && text.StartsWith(Think);
        base.ThinkingMarker(begins, text);
    }

    private protected override void FrameMarker(ReadOnlySpan<char> text) => isFramed = text.StartsWith(Answer);

    private static JsonCallMatchers CreateMatchers()
    {
        var all = WithThinking(Think, EndThink, calls);
        return new(WithThinking(Think, EndThink), all, all, all, all);
    }
}
