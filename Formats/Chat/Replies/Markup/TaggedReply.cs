using System.Buffers;

namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// A dialect with markers: cuts the text, however it comes, into markers and what is between them. From a marker's first character on text is held
/// back for as long as it may be a marker of the place; a marker that names something is read up to its '&gt;'.
/// </summary>
internal abstract class TaggedReply : ReplyParser
{
    private readonly ReplyOutput output;
    private readonly ArrayBufferWriter<char> candidate = new();
    private readonly TagName tag = new();
    private readonly char first;                             // of every marker
    private MarkerMatcher? matcher;
    private bool isInTag;

    private protected TaggedReply(ReplyOptions options, char first = '<')
        : base(options)
    {
        this.first = first;
        Options = options;
        output = new ReplyOutput(options.UnfinishedCalls == UnfinishedCalls.AsText || options.MalformedCalls == MalformedCalls.AsText);
        Tools = new ToolTable(options.Tools);
        Call = new OpenCall(output, Tools, options);
    }

    private protected ReplyOptions Options { get; }

    private protected ReplyOutput Output => output;

    /// <summary>The open call, or the last one.</summary>
    private protected OpenCall Call { get; }

    private protected ToolTable Tools { get; }

    /// <summary>The markers that mean something here; null where none does.</summary>
    private protected abstract MarkerMatcher? Matcher { get; }

    /// <summary>A piece begins; it is not empty.</summary>
    private protected virtual void PieceBegun()
    {
    }

    /// <summary>Text was read, before it is understood: a block of calls that is held back has to be told of it.</summary>
    private protected virtual void Reading(ReadOnlySpan<char> text) => output.Record(text);

    /// <summary>Text that is no marker.</summary>
    private protected abstract void Plain(ReadOnlySpan<char> text);

    /// <summary>A marker, as it was written. True if a name and the end of a tag follow.</summary>
    private protected abstract bool Found(Marker marker, ReadOnlySpan<char> text);

    /// <summary>The tag behind the last marker is over.</summary>
    private protected virtual void TagEnded(string name)
    {
    }

    /// <summary>The reply is over; <paramref name="rest"/> is half a marker or nothing.</summary>
    private protected abstract void Ended(ReadOnlySpan<char> rest);

    public sealed override void Push(ReadOnlySpan<char> piece, ICollection<ReplyEvent> events)
    {
        if (piece.IsEmpty) return;
        output.Begin(events);
        PieceBegun();
        while (!piece.IsEmpty) piece = piece[Take(piece)..];
        if (IsInToolCalls) Call.Flush();
        output.End();
    }

    public sealed override void Finish(ICollection<ReplyEvent> events)
    {
        output.Begin(events);
        Ended(candidate.WrittenSpan);
        candidate.ResetWrittenCount();
        output.End();
    }

    // Reads some of the piece; says how much. Nothing of it where the candidate turned out to be text: that is settled first.
    private int Take(ReadOnlySpan<char> piece)
    {
        if (isInTag)
        {
            Reading(piece[..1]);
            if (!tag.Next(piece[0])) return 1;
            isInTag = false;
            TagEnded(tag.ToString());
            return 1;
        }
        if (matcher is null)
        {
            var plain = piece.IndexOf(first);
            if (plain == 0 && Matcher is { } here)
            {
                matcher = here;
                matcher.Begin();
                Hold(piece[..1]);
                return 1;
            }
            // Where no marker means anything the character is text; what follows it may have a meaning again.
            if (plain == 0) plain = piece[1..].IndexOf(first) + 1;
            if (plain <= 0) plain = piece.Length;
            Reading(piece[..plain]);
            Plain(piece[..plain]);
            return plain;
        }
        if (!matcher.Next(piece[0], out var found))
        {
            matcher = null;
            Plain(candidate.WrittenSpan);
            candidate.ResetWrittenCount();
            return 0;
        }
        Hold(piece[..1]);
        if (found is not { } marker) return 1;
        matcher = null;
        isInTag = Found(marker, candidate.WrittenSpan);
        if (isInTag) tag.Begin();
        candidate.ResetWrittenCount();
        return 1;
    }

    private void Hold(ReadOnlySpan<char> text)
    {
        Reading(text);
        candidate.Write(text);
    }
}
