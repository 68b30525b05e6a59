using System.Text;

namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// A dialect whose calls are JSON: one object with name and arguments, or a head of the dialect's own with the name in it and then the arguments. The
/// head's end needs no marker: arguments begin at the first '{'. In a JSON string no marker means anything. What turns out to be no call, for want of
/// a name or because it is no JSON, is passed on as the text that it is, markers and all; where JSON breaks in a call that was passed on already, the
/// call is closed so that its arguments are valid, and what follows is text. In a section, a block with an end marker of its own, text between calls
/// means nothing if the section goes on.
/// </summary>
internal abstract partial class JsonCallsReply : ThinkingReply
{
    // Characters before the arguments, at most: a name has 64.
    private const int MaxHead = 256;

    // Characters of what may be a call, at most: no arguments that come before the name, or in a string, are longer, and a reply is not to be held
    // whole.
    private const int MaxUndecided = 1 << 20;
    private readonly JsonEnvelope envelope;
    private readonly ValueRelay arguments;
    private readonly StringBuilder quoted = new();           // arguments in a string, quotes and all
    private readonly StringBuilder head = new();             // what is before the arguments, with PartEnd for each marker
    private bool isCertain;                                  // the call was passed on as one
    private bool hasSection;                                 // the block has an end marker of its own
    private bool isText;                                     // what a call's markers stand around is none, so that its end marker is text too
    private bool isVerbatim;                                 // between calls: text has begun, so that white space is some too
    private bool isMalformed;                                // the open block has a call that broke
    private bool isOver;                                     // the reply is

    /// <summary>Reads replies with these markers.</summary>
    /// <param name="options">What the reply answers to.</param>
    /// <param name="markers">As <see cref="ThinkingReply"/> takes them.</param>
    /// <param name="firsts">Their first characters.</param>
    /// <param name="nameKey">What the tool's name is called in an object with name and arguments.</param>
    /// <param name="arguments">How arguments behind a head are read; null where they are JSON.</param>
    private protected JsonCallsReply(ReplyOptions options, string[] markers, string firsts = "<", string nameKey = "name",
        ValueRelay? arguments = null)
        : base(options, markers, firsts)
    {
        envelope = new JsonEnvelope(nameKey);
        this.arguments = arguments ?? new JsonRelay();
    }

    /// <summary>Where a call is read.</summary>
    private protected enum Step
    {
        /// <summary>Outside of any block.</summary>
        None,

        /// <summary>Inside a block, between calls.</summary>
        Between,

        /// <summary>A call begins: an object, a list of them, or a head.</summary>
        Begin,

        /// <summary>The call's own head.</summary>
        Head,

        /// <summary>An object with name and arguments.</summary>
        Envelope,

        /// <summary>The arguments behind a head.</summary>
        Arguments,

        /// <summary>The arguments behind a head, in a string.</summary>
        Quoted,
    }

    /// <summary>Stands in a head where a marker was.</summary>
    private protected const char PartEnd = '\0';

    private protected Step At { get; private set; }

    private protected abstract JsonCallMatchers Matchers { get; }

    private protected sealed override MarkerMatcher? Matcher => At switch
    {
        Step.None => TakesCalls ? InText : AsText,
        Step.Between => IsUndecided && !TakesCalls ? AsText : Matchers.InBlock,
        Step.Begin or Step.Head => Matchers.InHead,
        // A draft in thinking may break off in a string.
        _ when IsInString => isCertain || !IsThinking ? null : AsText,
        _ => Matchers.InCall,
    };

    private bool IsInString => At == Step.Envelope ? envelope.IsInString : arguments.IsInString;

    /// <summary>Whether the call is one of a list.</summary>
    private protected bool IsList { get; private set; }

    /// <summary>Whether the call has no marker, so that it must have arguments, and a declared tool, to be one and not text.</summary>
    private bool IsBare { get; set; }

    /// <summary>The markers that mean something in text and thinking.</summary>
    private protected virtual MarkerMatcher InText => Matchers.InText;

    /// <summary>The markers that mean something where calls are text.</summary>
    private protected virtual MarkerMatcher AsText => Matchers.AsText;

    /// <summary>The name in a call's head; null where there is none.</summary>
    /// <param name="head">The text before the arguments, <see cref="PartEnd"/> for each marker in it.</param>
    private protected virtual string? NameIn(string head) => null;

    /// <summary>Whether a call may have a head of its own instead of being an object: nowhere, where a marker stands, or in lists too.</summary>
    private protected virtual Heads Heads => Heads.None;

    /// <summary>What the arguments behind a head begin with.</summary>
    private protected virtual char ArgumentsBegin => '{';

    /// <summary>What stands between a call's arguments and its end marker and means nothing.</summary>
    private protected virtual bool IsPadding(char c) => Spaces.IsSpace(c);

    /// <summary>The block ends where a call, or a list of calls, does, unless it has an end marker of its own.</summary>
    private protected virtual bool EndsWithCall => false;

    /// <summary>A name as it stands in a head: it holds no white space, unless it is near to a declared one; null where it is none.</summary>
    private protected string? Name(ReadOnlySpan<char> text)
    {
        text = text.Trim();
        if (text.IsEmpty) return null;
        var name = text.ToString();
        return text.ContainsAny(" \t\r\n") && Tools.Find(name).Tool is null ? null : name;
    }

    /// <summary>Text outside of any block; a dialect may find a call in it. Returns how much was read.</summary>
    private protected virtual int Outside(ReadOnlySpan<char> text)
    {
        Say(text);
        return text.Length;
    }

    /// <summary>A marker around the answer.</summary>
    private protected virtual void FrameMarker(ReadOnlySpan<char> text)
    {
    }

    /// <summary>A call may begin here, with a marker or with something that is text otherwise.</summary>
    private protected void BeginCall(ReadOnlySpan<char> text, bool bare = false)
    {
        if (At == Step.None)
        {
            Doubt(text);
            hasSection = false;
        }
        else Hold(text);
        (At, IsBare, IsList) = (Step.Begin, bare, false);
        isCertain = isText = isVerbatim = false;
        head.Clear();
    }
}

/// <summary>Where a call may have a head of its own.</summary>
internal enum Heads
{
    None,
    BehindMarkers,
    InLists,
}
