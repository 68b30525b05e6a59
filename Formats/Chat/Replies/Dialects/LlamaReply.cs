namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// Llama 3.1 and later: the reply is a call, <c>{"name": "f", "parameters": {…}}</c>, perhaps behind <c>&lt;|python_tag|&gt;</c>, perhaps with more
/// of them behind semicolons. Elsewhere in a reply an object is text, and so is one that has no parameters or names no declared tool. Sources: Llama
/// 3.1's chat template; vLLM's llama3_json parser.
/// </summary>
internal sealed class LlamaReply(ReplyOptions options) : JsonCallsReply(options with { StartsThinking = false }, [Tag])
{
    private const string Tag = "<|python_tag|>";
    private bool isStart = true;                             // nothing but white space yet

    private protected override JsonCallMatchers Matchers { get; } = CreateMatchers();

    private protected override bool EndsWithCall => true;

    private protected override int Outside(ReadOnlySpan<char> text)
    {
        if (!isStart && Zone != Zone.BehindCalls) return base.Outside(text);
        var blank = 0;
        while (blank < text.Length && Spaces.IsSpace(text[blank])) blank++;
        if (blank > 0) return base.Outside(text[..blank]);
        var mayBeCall = TakesCalls && (text[0] == '{' || (text[0] == ';' && Zone == Zone.BehindCalls));
        isStart = false;
        if (!mayBeCall) return base.Outside(text);
        var separator = text[0] == ';' ? 1 : 0;
        BeginCall(text[..separator], bare: true);
        return separator;
    }

    private static JsonCallMatchers CreateMatchers()
    {
        var tag = new MarkerMatcher((Marker.BeginCall, Tag));
        return new(new MarkerMatcher(), tag, tag, tag, InCall: null);
    }
}
