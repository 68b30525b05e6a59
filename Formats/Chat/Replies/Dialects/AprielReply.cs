namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// Apriel: <c>&lt;tool_calls&gt;[{"name": "f", "arguments": {…}}, …]&lt;/tool_calls&gt;</c>. The reply, or the prompt's end, begins with thinking in
/// words, <c>Here are my reasoning steps:</c>, up to <c>[BEGIN FINAL RESPONSE]</c>, and the answer may end in <c>[END FINAL RESPONSE]</c>; with tools
/// thinking may stand in <c>&lt;thinking&gt;</c>. Sources: the chat templates of Apriel 1.5 and 1.6.
/// </summary>
internal sealed class AprielReply(ReplyOptions options) : JsonCallsReply(options, markers, firsts: "<[H")
{
    /// <summary>How thinking begins.</summary>
    internal static readonly string[] Openings = [Words, Think];

    private const string Words = "Here are my reasoning steps:", Answer = "[BEGIN FINAL RESPONSE]", EndAnswer = "[END FINAL RESPONSE]";
    private const string Think = "<thinking>", EndThink = "</thinking>", Begin = "<tool_calls>", End = "</tool_calls>";
    private static readonly string[] markers = [Think, Answer, Begin, End, EndThink, EndAnswer];
    private readonly MarkerMatcher atStart = With((Marker.BeginThinking, Words), (Marker.BeginCall, Begin), (Marker.EndCall, End));

    private protected override JsonCallMatchers Matchers { get; } = CreateMatchers();

    // Words begin thinking where the reply does; anywhere else they are words.
    private protected override MarkerMatcher InText => IsAtStart && !HasThought ? atStart : base.InText;

    private static JsonCallMatchers CreateMatchers()
    {
        var calls = With((Marker.BeginCall, Begin), (Marker.EndCall, End));
        return new(With(), calls, calls, calls, calls);
    }

    private static MarkerMatcher With(params (Marker, string)[] others) =>
        WithThinking(Think, EndThink, [(Marker.EndThinking, Answer), (Marker.Frame, EndAnswer), .. others]);
}
