namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// Mistral: <c>[TOOL_CALLS][{"name": "f", "arguments": {…}}, …]</c>, and from tokenizer version 11 on <c>[TOOL_CALLS]f[CALL_ID]123456789[ARGS]{…}</c>
/// for each call, without the id from version 13 on, and perhaps without <c>[ARGS]</c>; thinking in <c>[THINK]…[/THINK]</c>. Sources: the chat
/// templates of Mistral Small 3.2 and Ministral 3; vLLM's mistral parser.
/// </summary>
internal sealed class MistralReply(ReplyOptions options) : JsonCallsReply(options, markers, firsts: "[")
{
    /// <summary>How thinking begins.</summary>
    internal static readonly string[] Openings = [Think];

    private const string Think = "[THINK]", EndThink = "[/THINK]", Calls = "[TOOL_CALLS]", Id = "[CALL_ID]", Arguments = "[ARGS]";
    private static readonly string[] markers = [Think, EndThink, Calls, Id, Arguments];

    private protected override JsonCallMatchers Matchers { get; } = CreateMatchers();

    private protected override Heads Heads => Heads.BehindMarkers;

    private protected override bool EndsWithCall => true;

    private protected override string? NameIn(string head) => Name(head.Split(PartEnd)[0]);

    private static JsonCallMatchers CreateMatchers()
    {
        var calls = WithThinking(Think, EndThink, (Marker.BeginCall, Calls));
        return new(WithThinking(Think, EndThink), calls, calls,
            WithThinking(Think, EndThink, (Marker.BeginCall, Calls), (Marker.Separator, Id), (Marker.Separator, Arguments)), InCall: null);
    }
}
