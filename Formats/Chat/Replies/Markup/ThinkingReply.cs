using System.Buffers;
using System.Text;

namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// A dialect in which thinking stands between two markers and calls stand in blocks: what all of these have in common. Thinking's markers never reach
/// the text. A block's marker alone makes no block, since models speak of markers too: until a call is certain, everything from the marker on is
/// held, and if there is none, it is the text or thinking that it is. Behind a block white space is held back: up to the next block or the end it is
/// none of the text, nor is one line break right behind the block.
/// </summary>
internal abstract class ThinkingReply : TaggedReply
{
    /// <summary>
    /// Text that is held where a block's next call may follow, at most. Models put a remark there, if anything; a reply that goes on without a call
    /// may not wait longer for its reader.
    /// </summary>
    private protected const int MaxNoise = 512;

    private const int MaxGap = 64;                           // white space held back behind a block, at most
    private readonly ArrayBufferWriter<char> gap = new();
    private readonly StringBuilder held = new();             // what may be the beginning of a block, or stands between its calls
    private readonly string[] markers;                       // thinking's two first, if there is thinking, then the one that begins a block
    private CodeFences fences, fencesBefore;
    private Zone zoneBefore;                                 // the open block, and whether that was thinking
    private bool isThinking, wasThinking, hadCalls;

    private protected ThinkingReply(ReplyOptions options, string[] markers, string firsts = "<", bool hasAttributes = false)
        : base(options, firsts, hasAttributes)
    {
        this.markers = markers;
        isThinking = HasThought = options.StartsThinking;
        Zone = isThinking && !options.ThinkingAsText ? Zone.Thinking : Zone.Text;
    }

    public override bool IsThinking => isThinking;

    public override bool IsInToolCalls => Zone == Zone.Calls || IsUndecided;

    public override IReadOnlyList<string> Markers => markers;

    public override string? ThinkingBegin => markers.Length < 2 ? null : markers[0];

    public override string? ThinkingEnd => markers.Length < 2 ? null : markers[1];

    private protected Zone Zone { get; private set; }

    /// <summary>Whether a block may have begun.</summary>
    private protected bool IsUndecided { get; private set; }

    /// <summary>How much text is held.</summary>
    private protected int Held => held.Length;

    /// <summary>Whether nothing but white space has been said, at all or since the last thinking began or ended.</summary>
    private protected bool IsAtStart { get; private set; } = true;

    /// <summary>Whether there has been thinking.</summary>
    private protected bool HasThought { get; private set; }

    /// <summary>Whether a call that begins here is to be carried out.</summary>
    private protected bool TakesCalls =>
        !Options.CallsAsText && !(isThinking && Options.CallsInThinking == CallsInThinking.AsText)
            && !(Options.CallsInFences == CallsInFences.AsText && fences.IsOpen);

    public override ThinkingSpan FindThinking(ReadOnlySpan<int> ids) => markers.Length < 2
        ? new(0..0, 0..0, false)
        : ThinkingSpan.Find(ids, Options.StartsThinking, Id(0), Id(1), Options.CallsInThinking == CallsInThinking.CarryOut ? Id(2) : null);

    /// <summary>Thinking's markers and others as a matcher.</summary>
    private protected static MarkerMatcher WithThinking(string begin, string end, params (Marker, string)[] others) =>
        new([(Marker.BeginThinking, begin), (Marker.EndThinking, end), .. others]);

    /// <summary>Text that is none of a call's markup.</summary>
    private protected void Say(ReadOnlySpan<char> text)
    {
        Follow(text);
        SayFollowed(text);
    }

    /// <summary>A marker that ends a block: right behind one it is part of it, anywhere else it is text.</summary>
    private protected void StrayEnd(ReadOnlySpan<char> text)
    {
        if (Zone == Zone.BehindCalls) gap.ResetWrittenCount();
        else if (!IsUnwritten) Say(text);
    }

    /// <summary>Thinking's begin or end.</summary>
    private protected virtual void ThinkingMarker(bool begins, ReadOnlySpan<char> text)
    {
        isThinking = begins;
        fences = default;
        if (Options.ThinkingAsText) SayFollowed(text);
        else if (begins || Zone == Zone.Thinking)
        {
            gap.ResetWrittenCount();
            Zone = begins ? Zone.Thinking : Zone.Text;
        }
        IsAtStart = HasThought = true;
    }

    /// <summary>A block may begin with <paramref name="marker"/>.</summary>
    private protected void Doubt(ReadOnlySpan<char> marker)
    {
        IsUndecided = true;
        fencesBefore = fences;
        held.Clear();
        Hold(marker);
    }

    /// <summary>More text that may be part of a block, or not.</summary>
    private protected void Hold(ReadOnlySpan<char> text)
    {
        if (Zone == Zone.Calls) Output.Record(text);
        else Follow(text);
        if (!IsUnwritten) held.Append(text);
    }

    /// <summary>What is held meant nothing, since the block goes on.</summary>
    private protected void Forget() => held.Clear();

    /// <summary>What is held is text, or thinking.</summary>
    private protected void Release()
    {
        // Text that was held outside of a block was followed when it came.
        foreach (var chunk in held.GetChunks())
        {
            if (IsUndecided) SayFollowed(chunk.Span);
            else Say(chunk.Span);
        }
        held.Clear();
        IsUndecided = false;
    }

    /// <summary>A block of calls has begun with what is held; it ends thinking.</summary>
    private protected void OpenCalls()
    {
        Output.OpenBlock(Output.HoldsBlocks ? held.ToString() : []);
        held.Clear();
        fences = fencesBefore;
        (zoneBefore, Zone, wasThinking, isThinking) = (Zone, Zone.Calls, isThinking, false);
        IsUndecided = IsAtStart = false;
    }

    /// <summary>
    /// The block is over, before what is held; with <paramref name="asText"/> a block that was held back is none but the text that it is.
    /// </summary>
    private protected void CloseCalls(bool asText)
    {
        if (Output.CloseBlock(asText) is { } block)
        {
            held.Clear();
            (Zone, isThinking) = (zoneBefore, wasThinking);
            Say(block);
            return;
        }
        gap.ResetWrittenCount();
        (Zone, hadCalls) = (Zone.BehindCalls, true);
        Release();
    }

    private void Follow(ReadOnlySpan<char> text)
    {
        if (Options.CallsInFences == CallsInFences.AsText) fences.Follow(text);
    }

    private void SayFollowed(ReadOnlySpan<char> text)
    {
        if (Zone == Zone.BehindCalls)
        {
            var blank = 0;
            while (blank < text.Length && gap.WrittenCount + blank < MaxGap && Spaces.IsSpace(text[blank])) blank++;
            gap.Write(text[..blank]);
            text = text[blank..];
            if (text.IsEmpty) return;
            Zone = Zone.Text;
            var before = gap.WrittenSpan;
            SayFollowed(before.StartsWith("\r\n") ? before[2..] : before.StartsWith("\n") ? before[1..] : before);
            gap.ResetWrittenCount();
        }
        if (IsAtStart) IsAtStart = Spaces.IsBlank(text);
        if (Zone == Zone.Thinking) Output.Text(text, isThinking: true);
        else if (Zone == Zone.Calls || !(hadCalls && Options.TextAfterCalls == TextAfterCalls.Drop)) Output.Text(text, isThinking: false);
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
