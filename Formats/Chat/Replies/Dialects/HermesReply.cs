namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// Hermes, and Qwen's models that are no coders: <c>&lt;tool_call&gt;{"name": "f", "arguments": {…}}&lt;/tool_call&gt;</c>, thinking in
/// <c>&lt;think&gt;</c>. A block may hold several objects, or a list of them, and may lack its end. Sources: the templates of Hermes 2 Pro and Qwen
/// 2.5; vLLM's hermes parser.
/// </summary>
internal sealed class HermesReply(ReplyOptions options) : JsonCallsReply(options, markers, Matchers())
{
    private const string Think = "<think>", EndThink = "</think>", Begin = "<tool_call>", End = "</tool_call>";
    private static readonly string[] markers = [Think, EndThink, Begin, End];

    private static JsonCallMatchers Matchers()
    {
        var text = WithThinking(Think, EndThink, (Marker.BeginCall, Begin));
        var call = new MarkerMatcher((Marker.BeginCall, Begin), (Marker.EndCall, End));
        return new(text, text, call, call, call);
    }
}
