using System.Buffers;

namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// A dialect in which thinking stands between two markers and calls stand in blocks: what all of these have in common. Thinking's markers never reach
/// the text. Behind a block white space is held back: up to the next block or the end it is none of the text, nor is one line break right behind the
/// block.
/// </summary>
internal abstract class ThinkingReply : TaggedReply
{
    private const int MaxGap = 64;                           // white space held back behind a block, at most
    private readonly ArrayBufferWriter<char> gap = new();
    private readonly string[] markers;                       // thinking's two first, if there is thinking, then the one that begins a block
    private bool isThinking, hadCalls;

    private protected ThinkingReply(ReplyOptions options, string[] markers, char first = '<')
        : base(options, first)
    {
        this.markers = markers;
        isThinking = options.StartsThinking;
        Zone = isThinking && !options.ThinkingAsText ? Zone.Thinking : Zone.Text;
    }

    public override bool IsThinking => isThinking;

    public override bool IsInToolCalls => Zone == Zone.Calls;

    public override IReadOnlyList<string> Markers => markers;

    private protected Zone Zone { get; private set; }

    public override ThinkingSpan FindThinking(ReadOnlySpan<int> ids) =>
        markers.Length < 2 ? new(0..0, 0..0, false) : ThinkingSpan.Find(ids, Options.StartsThinking, Id(0), Id(1), Id(2));

    /// <summary>Thinking's markers and others as a matcher.</summary>
    private protected static MarkerMatcher WithThinking(string begin, string end, params (Marker, string)[] others) =>
        new([(Marker.BeginThinking, begin), (Marker.EndThinking, end), .. others]);

    /// <summary>Text that is none of a call's markup.</summary>
    private protected void Say(ReadOnlySpan<char> text)
    {
        if (Zone == Zone.BehindCalls)
        {
            var blank = 0;
            while (blank < text.Length && gap.WrittenCount + blank < MaxGap && Spaces.IsSpace(text[blank])) blank++;
            gap.Write(text[..blank]);
            text = text[blank..];
            if (text.IsEmpty) return;
            Zone = Zone.Text;
            var held = gap.WrittenSpan;
            Say(held.StartsWith("\r\n") ? held[2..] : held.StartsWith("\n") ? held[1..] : held);
            gap.ResetWrittenCount();
        }
        if (Zone == Zone.Thinking) Output.Text(text, isThinking: true);
        else if (Zone == Zone.Calls || !(hadCalls && Options.TextAfterCalls == TextAfterCalls.Drop)) Output.Text(text, isThinking: false);
    }

    private protected void ThinkingMarker(bool begins, ReadOnlySpan<char> text)
    {
        isThinking = begins;
        if (Options.ThinkingAsText) Say(text);
        else if (begins || Zone == Zone.Thinking)
        {
            gap.ResetWrittenCount();
            Zone = begins ? Zone.Thinking : Zone.Text;
        }
    }

    /// <summary>A block of calls begins; it ends thinking. <paramref name="text"/> is what was read of it already.</summary>
    private protected void OpenCalls(ReadOnlySpan<char> text)
    {
        gap.ResetWrittenCount();
        isThinking = false;
        Output.OpenBlock(text);
        Zone = Zone.Calls;
    }

    /// <summary>The block is over; with <paramref name="asText"/> a block that was held back is none but the text that it is.</summary>
    private protected void CloseCalls(bool asText)
    {
        Output.CloseBlock(asText);
        (Zone, hadCalls) = (Zone.BehindCalls, true);
    }

    private int? Id(int marker) => marker < markers.Length ? MarkerId(markers[marker]) : null;
}

/// <summary>Where in a reply a place is.</summary>
internal enum Zone
{
    Thinking,
    Text,

    /// <summary>Nothing but white space since a block of calls.</summary>
    BehindCalls,

    /// <summary>In a block of calls.</summary>
    Calls,
}
