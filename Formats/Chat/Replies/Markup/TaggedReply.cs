using System.Buffers;

namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// A dialect with markers: cuts the text, however it comes, into markers and what is between them. From a marker's first character on text is held
/// back for as long as it may be a marker of the place, or a tag with a name.
/// </summary>
internal abstract class TaggedReply : ReplyParser
{
    // Characters of a tag, at most: names have 64, and what attributes models add to them is short; a reply may not wait longer for a '>'.
    private const int MaxTag = 1024;
    private readonly ReplyOutput output;
    private readonly ArrayBufferWriter<char> candidate = new();
    private readonly TagName tag;
    private readonly SearchValues<char> firsts;              // of all markers
    private MarkerMatcher? matcher;
    private Marker? named;                                   // a tag that is read up to its end

    private protected TaggedReply(ReplyOptions options, string firsts = "<", bool hasAttributes = false)
        : base(options)
    {
        this.firsts = SearchValues.Create(firsts);
        tag = new TagName(hasAttributes);
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

    /// <summary>Whether the marker that is read came as a token only: it is no text, whatever it turns out to be.</summary>
    private protected bool IsUnwritten { get; private set; }

    /// <summary>At the reply's end: the tag that is cut short; null where none is.</summary>
    private protected Marker? CutTag => named;

    /// <summary>What there is of its name.</summary>
    private protected string CutName => tag.ToString();

    /// <summary>A piece begins; it is not empty.</summary>
    private protected virtual void PieceBegun()
    {
    }

    /// <summary>Text that is no marker.</summary>
    private protected abstract void Plain(ReadOnlySpan<char> text);

    /// <summary>A marker, as it was written, and the name in it; empty where it holds none.</summary>
    private protected abstract void Found(Marker marker, ReadOnlySpan<char> text, string name);

    /// <summary>What began as a tag and is none, with what could have been its name.</summary>
    private protected virtual void NoTag(Marker marker, ReadOnlySpan<char> text, string name) => Plain(text);

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

    private protected sealed override void PushUnwritten(string marker, ICollection<ReplyEvent> events)
    {
        if (candidate.WrittenCount > 0)
        {
            // A token of its own goes on with no text.
            output.Begin(events);
            NoMarker();
            output.End();
        }
        IsUnwritten = true;
        Push(marker, events);
        IsUnwritten = false;
    }

    // Reads some of the piece; says how much. Nothing of it where the candidate turned out to be text: that is settled first.
    private int Take(ReadOnlySpan<char> piece)
    {
        if (named is not null) return TakeTag(piece[0]);
        if (matcher is null)
        {
            var plain = piece.IndexOfAny(firsts);
            if (plain == 0 && Matcher is { } here)
            {
                matcher = here;
                matcher.Begin(piece[0]);
                candidate.Write(piece[..1]);
                return 1;
            }
            // Where no marker means anything the character is text; what follows it may have a meaning again.
            if (plain == 0) plain = piece[1..].IndexOfAny(firsts) + 1;
            if (plain <= 0) plain = piece.Length;
            Plain(piece[..plain]);
            return plain;
        }
        if (!matcher.Next(piece[0], out var found))
        {
            NoMarker();
            return 0;
        }
        candidate.Write(piece[..1]);
        if (found is not { } marker) return 1;
        matcher = null;
        if (marker.IsNamed)
        {
            named = marker.Marker;
            tag.Begin();
        }
        else Met(marker.Marker, "");
        return 1;
    }

    private int TakeTag(char c)
    {
        var state = candidate.WrittenCount == MaxTag ? TagState.None : tag.Next(c);
        if (state == TagState.None)
        {
            NoMarker();
            return 0;
        }
        candidate.Write([c]);
        if (state == TagState.Done) Met(named!.Value, tag.ToString());
        return 1;
    }

    private void Met(Marker marker, string name)
    {
        named = null;
        Found(marker, candidate.WrittenSpan, name);
        candidate.ResetWrittenCount();
    }

    private void NoMarker()
    {
        var tagged = named;
        (matcher, named) = (null, null);
        if (tagged is { } marker) NoTag(marker, candidate.WrittenSpan, tag.ToString());
        else Plain(candidate.WrittenSpan);
        candidate.ResetWrittenCount();
    }
}
