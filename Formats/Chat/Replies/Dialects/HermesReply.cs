namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// Hermes, and Qwen's models that are no coders: <c>&lt;tool_call&gt;{"name": "f", "arguments": {…}}&lt;/tool_call&gt;</c>, thinking in
/// <c>&lt;think&gt;</c>. A block may hold several objects, or a list of them, and may lack its end. Sources: the templates of Hermes 2 Pro and Qwen
/// 2.5; vLLM's hermes parser.
/// </summary>
internal sealed class HermesReply(ReplyOptions options) : JsonCallsReply(options, markers)
{
    /// <summary>How thinking begins.</summary>
    internal static readonly string[] Openings = [Think];

    private const string Think = "<think>", EndThink = "</think>", Begin = "<tool_call>", End = "</tool_call>";
    private static readonly string[] markers = [Think, EndThink, Begin, End];

    private protected override JsonCallMatchers Matchers { get; } = CreateMatchers();

    private static JsonCallMatchers CreateMatchers()
    {
        var calls = WithThinking(Think, EndThink, (Marker.BeginCall, Begin), (Marker.EndCall, End));
        return new(WithThinking(Think, EndThink), calls, calls, calls, calls);
    }
}
