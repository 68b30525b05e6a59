using System.Text;

namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// A dialect whose calls are JSON: one object with name and arguments, or a head of the dialect's own with the name in it and then the arguments. The
/// head's end needs no marker: arguments begin at the first '{'. In a JSON string no marker means anything. What turns out to be no call, for want of
/// a name or because it is no JSON, is passed on as the text that it is, markers and all; where JSON breaks in a call that was passed on already, the
/// call is closed so that its arguments are valid, and what follows is text.
/// </summary>
internal abstract partial class JsonCallsReply : ThinkingReply
{
    private const int MaxHead = 1024;                        // characters before the arguments, at most
    private readonly JsonCallMatchers matchers;
    private readonly JsonEnvelope envelope = new();
    private readonly JsonRelay arguments = new();
    private readonly StringBuilder raw = new();              // of a call that is not certain yet
    private readonly StringBuilder quoted = new();           // arguments in a string, quotes and all
    private readonly StringBuilder head = new();             // what is before the arguments, with PartEnd for each marker
    private bool isCertain;                                  // the call was passed on as one
    private bool hasSection;                                 // the open block has an end marker of its own
    private bool isText;                                     // what a call's markers stand around is none, so that its end marker is text too
    private bool isVerbatim;                                 // between calls: text has begun, so that white space is some too
    private bool isMalformed;                                // the open block has a call that broke

    /// <summary>Reads replies with these markers.</summary>
    /// <param name="options">What the reply answers to.</param>
    /// <param name="markers">As <see cref="ThinkingReply"/> takes them.</param>
    /// <param name="matchers">Which of them mean something at each place.</param>
    /// <param name="first">Their first character.</param>
    private protected JsonCallsReply(ReplyOptions options, string[] markers, JsonCallMatchers matchers, char first = '<')
        : base(options, markers, first) => this.matchers = matchers;

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

    private protected sealed override MarkerMatcher? Matcher => At switch
    {
        Step.None => Zone == Zone.Thinking ? matchers.InThinking : matchers.InText,
        Step.Between => matchers.InBlock,
        Step.Head => matchers.InHead,
        Step.Begin => matchers.InCall is null ? null : matchers.InHead,
        _ => IsInString ? null : matchers.InCall,
    };

    private bool IsInString => At == Step.Envelope ? envelope.IsInString : arguments.IsInString;

    /// <summary>Whether the call is one of a list.</summary>
    private bool IsList { get; set; }

    /// <summary>Whether the call has no marker, so that it must have arguments, and a declared tool, to be one and not text.</summary>
    private bool IsBare { get; set; }

    /// <summary>A name as it stands in a head, which holds no white space; null where it is none.</summary>
    private protected static string? Name(ReadOnlySpan<char> text)
    {
        text = text.Trim();
        return text.IsEmpty || text.ContainsAny(" \t\r\n") ? null : text.ToString();
    }

    /// <summary>The name in a call's head; null where there is none.</summary>
    /// <param name="head">The text before the arguments, <see cref="PartEnd"/> for each marker in it.</param>
    private protected virtual string? NameIn(string head) => null;

    /// <summary>Whether a call may have a head of its own instead of being an object.</summary>
    private protected virtual bool HasHeads => false;

    /// <summary>What stands between a call's arguments and its end marker and means nothing.</summary>
    private protected virtual bool IsPadding(char c) => Spaces.IsSpace(c);

    /// <summary>The block ends where a call, or a list of calls, does, unless it has an end marker of its own.</summary>
    private protected virtual bool EndsWithCall => false;

    /// <summary>Text outside of any block; a dialect may find a call in it. Returns how much was read.</summary>
    private protected virtual int Outside(ReadOnlySpan<char> text)
    {
        Say(text);
        return text.Length;
    }

    /// <summary>A call may begin here, with a marker or with something that is text otherwise.</summary>
    private protected void BeginCall(ReadOnlySpan<char> text, bool bare = false)
    {
        (At, IsBare, IsList) = (Step.Begin, bare, false);
        isCertain = isText = isVerbatim = false;
        raw.Clear();
        head.Clear();
        Seen(text);
    }

    private protected sealed override void Reading(ReadOnlySpan<char> text)
    {
        // A block has to be told of text only once it is known where the text belongs: see Seen.
    }

    private protected sealed override void Plain(ReadOnlySpan<char> text)
    {
        while (!text.IsEmpty) text = text[Take(text)..];
    }

    private protected sealed override bool Found(Marker marker, ReadOnlySpan<char> text)
    {
        switch (marker)
        {
            case Marker.BeginThinking or Marker.EndThinking:
                ThinkingMarker(marker == Marker.BeginThinking, text);
                break;
            case Marker.BeginCalls:
                Stop();
                if (Zone == Zone.Calls) Output.Record(text);
                else OpenCalls(text);
                (hasSection, IsList, At) = (true, false, Step.Between);
                isText = isVerbatim = isMalformed = false;
                break;
            case Marker.BeginCall:
                Stop();
                BeginCall(text);
                break;
            case Marker.Separator:
                Seen(text);
                At = Step.Head;
                head.Append(PartEnd);
                break;
            case Marker.EndCall:
                Seen(text);
                if (isText && hasSection && At == Step.Between) Say(text);
                Stop(isEnded: true);
                isVerbatim = isText = false;
                if (Zone == Zone.Calls && !hasSection) Close();
                break;
            case Marker.EndCalls:
                Stop();
                Seen(text);
                if (Zone == Zone.Calls) Close();
                break;
        }
        return false;
    }

    // Half a marker is text, but in a block anything longer than its first character is most likely the end of something.
    private protected sealed override void Ended(ReadOnlySpan<char> rest)
    {
        if (!rest.IsEmpty && (rest.Length == 1 || Zone != Zone.Calls)) Plain(rest);
        Stop();
        if (Zone == Zone.Calls) Close(isFinished: false);
    }

    // The head is whole: the call is certain if it holds a name.
    private bool TakeUpHead()
    {
        if (NameIn(head.ToString()) is not { Length: > 0 } name) return false;
        TakeUp(name);
        arguments.Begin(Call.Arguments);
        At = Step.Arguments;
        return true;
    }

    // An object with a name and nothing else is a call without arguments where it stands in markers.
    private bool TakeUpNameOnly()
    {
        if (IsBare || envelope.Name is null) return false;
        TakeUp(envelope.Name);
        return true;
    }

    private void TakeUp(string name)
    {
        if (Zone != Zone.Calls)
        {
            (hasSection, isMalformed) = (false, false);
            OpenCalls(raw.ToString());
        }
        isCertain = true;
        raw.Clear();
        Call.Begin(name);
    }

    // Whatever is read of a call: part of the block once there is one, and of what may have to be passed on as text until the call is certain.
    private void Seen(ReadOnlySpan<char> text)
    {
        if (Zone == Zone.Calls) Output.Record(text);
        if (!isCertain && At > Step.Between) raw.Append(text);
    }

    // It was none: text, in the place where it began.
    private void NoCall()
    {
        At = Zone == Zone.Calls ? Step.Between : Step.None;
        isCertain = isText = isVerbatim = true;
        foreach (var chunk in raw.GetChunks()) Say(chunk.Span);
        raw.Clear();
    }

    // What follows is no JSON: the call is over, but its block is not.
    private void Break()
    {
        isMalformed = true;
        Stop();
        isVerbatim = true;
    }

    // The call ends here, whether it is whole or not.
    private void Stop(bool isEnded = false)
    {
        if (At is Step.None or Step.Between) return;
        if (isCertain)
        {
            if (At == Step.Envelope) envelope.Close();
            else arguments.Close();
            EndCall(isComplete: At == Step.Envelope && envelope.HasArguments);
        }
        else if (At == Step.Head && IsHeadWhole() && TakeUpHead()) EndCall(isComplete: isEnded);
        else if (At == Step.Envelope && TakeUpNameOnly()) EndCall(isComplete: false);
        else NoCall();
    }

    private void EndCall(bool isComplete)
    {
        if (Call.Arguments.Length == 0) Call.Arguments.Append("{}");
        Call.End(isComplete);
        (At, isVerbatim) = (Step.Between, false);
        if (EndsWithCall && !IsList && !hasSection) Close();
    }

    private void Close(bool isFinished = true)
    {
        At = Step.None;
        hasSection = false;
        CloseCalls((isMalformed && Options.MalformedCalls == MalformedCalls.AsText)
            || (!isFinished && Options.UnfinishedCalls == UnfinishedCalls.AsText));
    }
}

/// <summary>The markers that mean something at each place of a dialect with JSON calls.</summary>
/// <param name="InThinking">In thinking.</param>
/// <param name="InText">In text.</param>
/// <param name="InBlock">In a block of calls, between these.</param>
/// <param name="InHead">In a call's own head.</param>
/// <param name="InCall">Elsewhere in a call; null where no marker begins as JSON does not.</param>
internal sealed record JsonCallMatchers(MarkerMatcher InThinking, MarkerMatcher InText, MarkerMatcher InBlock, MarkerMatcher InHead,
    MarkerMatcher? InCall);
