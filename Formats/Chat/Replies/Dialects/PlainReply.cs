namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// A reply in which calls are not known: text, and thinking between <c>&lt;think&gt;</c> and <c>&lt;/think&gt;</c> where the model is one that thinks
/// so.
/// </summary>
internal sealed class PlainReply(ReplyOptions options, bool thinks)
    : ThinkingReply(thinks ? options : options with { StartsThinking = false }, thinks ? [Think, EndThink] : [])
{
    /// <summary>How thinking begins.</summary>
    internal static readonly string[] Openings = [Think];

    private const string Think = "<think>", EndThink = "</think>";
    private readonly MarkerMatcher? matcher = thinks ? WithThinking(Think, EndThink) : null;

    private protected override MarkerMatcher? Matcher => matcher;

    private protected override void Plain(ReadOnlySpan<char> text) => Say(text);

    private protected override void Found(Marker marker, ReadOnlySpan<char> text, string name) =>
        ThinkingMarker(marker == Marker.BeginThinking, text);

    private protected override void Ended(ReadOnlySpan<char> rest) => Say(rest);
}
