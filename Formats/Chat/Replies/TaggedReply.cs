using System.Buffers;

namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// A dialect written in tags: cuts the text, however it comes, into markers and what is between them. From a '&lt;' on text is held back for as long as it may be a marker of
/// the place; a marker that names something is read up to its '&gt;'.
/// </summary>
internal abstract class TaggedReply : ReplyParser
{
    private readonly ReplyOutput output;
    private readonly ArrayBufferWriter<char> candidate = new();
    private readonly TagName tag = new();
    private MarkerMatcher? matcher;
    private bool isInTag;

    private protected TaggedReply(ReplyOptions options)
        : base(options)
    {
        Options = options;
        output = new ReplyOutput(options.UnfinishedCalls == UnfinishedCalls.AsText || options.MalformedCalls == MalformedCalls.AsText);
        Call = new CallWriter(output, new ToolTable(options.Tools), options);
    }

    private protected ReplyOptions Options { get; }

    private protected ReplyOutput Output => output;

    /// <summary>The open call, or the last one.</summary>
    private protected CallWriter Call { get; }

    /// <summary>The markers that mean something here.</summary>
    private protected abstract MarkerMatcher Matcher { get; }

    /// <summary>A piece begins; it is not empty.</summary>
    private protected abstract void PieceBegun();

    /// <summary>Text that is no marker.</summary>
    private protected abstract void Plain(ReadOnlySpan<char> text);

    /// <summary>A marker, as it was written. True if a name and the end of a tag follow.</summary>
    private protected abstract bool Found(Marker marker, ReadOnlySpan<char> text);

    /// <summary>The tag behind the last marker is over.</summary>
    private protected abstract void TagEnded(string name);

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
            output.Record(piece[..1]);
            if (!tag.Next(piece[0])) return 1;
            isInTag = false;
            TagEnded(tag.ToString());
            return 1;
        }
        if (matcher is null)
        {
            var plain = piece.IndexOf('<') is >= 0 and var at ? at : piece.Length;
            if (plain > 0)
            {
                output.Record(piece[..plain]);
                Plain(piece[..plain]);
                return plain;
            }
            matcher = Matcher;
            matcher.Begin();
            Hold("<");
            return 1;
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
        output.Record(text);
        candidate.Write(text);
    }
}
