namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// DeepSeek V3 and R1,
/// <c>&lt;｜tool▁calls▁begin｜&gt;&lt;｜tool▁call▁begin｜&gt;function&lt;｜tool▁sep｜&gt;f⏎```json⏎{…}⏎```
/// &lt;｜tool▁call▁end｜&gt;&lt;｜tool▁calls▁end｜&gt;</c>,
/// and V3.1, where a call is <c>f&lt;｜tool▁sep｜&gt;{…}</c>; thinking in <c>&lt;think&gt;</c>. Both forms are read by either name. Sources: the chat
/// templates of DeepSeek R1 and V3.1.
/// </summary>
internal sealed class DeepSeekReply(ReplyOptions options) : JsonCallsReply(options, markers)
{
    /// <summary>How thinking begins.</summary>
    internal static readonly string[] Openings = [Think];

    private const string Think = "<think>", EndThink = "</think>", Section = "<｜tool▁calls▁begin｜>", EndSection = "<｜tool▁calls▁end｜>";
    private const string Begin = "<｜tool▁call▁begin｜>", Separator = "<｜tool▁sep｜>", End = "<｜tool▁call▁end｜>";
    private static readonly string[] markers = [Think, EndThink, Section, EndSection, Begin, Separator, End];

    private protected override JsonCallMatchers Matchers { get; } = CreateMatchers();

    private protected override Heads Heads => Heads.BehindMarkers;

    // The fence around a call's arguments.
    private protected override bool IsPadding(char c) => c == '`' || base.IsPadding(c);

    // Behind the separator stands the name, with the fence below it; or nothing, and the name before it.
    private protected override string? NameIn(string head)
    {
        var parts = head.Split(PartEnd);
        if (parts.Length < 2) return null;
        var behind = parts[1].AsSpan().Trim();
        if (behind.IsEmpty) return Name(parts[0]);
        if (behind.IndexOf('`') is >= 0 and var fence) behind = behind[..fence];
        return behind.IsEmpty ? Name(parts[0]) : Name(behind);
    }

    private static JsonCallMatchers CreateMatchers()
    {
        var (section, begin, separator) = (Spellings(Marker.BeginCalls, Section), Spellings(Marker.BeginCall, Begin),
            Spellings(Marker.Separator, Separator));
        var endSection = Spellings(Marker.EndCalls, EndSection);
        (Marker, string)[] calls = [.. section, .. begin, .. Spellings(Marker.EndCall, End), .. endSection];
        return new(WithThinking(Think, EndThink), WithThinking(Think, EndThink, [.. section, .. begin, .. endSection]),
            WithThinking(Think, EndThink, calls), WithThinking(Think, EndThink, [.. calls, .. separator]), WithThinking(Think, EndThink, calls));
    }

    // Decoders of the SentencePiece kind turn the ▁ into a blank; distilled models write these markers in letters of their own, with _ as well.
    private static (Marker, string)[] Spellings(Marker marker, string text) =>
        [(marker, text), (marker, text.Replace('▁', ' ')), (marker, text.Replace('▁', '_'))];
}
