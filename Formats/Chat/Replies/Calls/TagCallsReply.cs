using System.Buffers;

namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// The tags of a dialect that has one for each call and each of its parameters. Patterns are <see cref="MarkerMatcher"/>'s; behind that of a call or
/// a parameter follows its name, up to '&gt;'.
/// </summary>
/// <param name="Begin">Of a block.</param>
/// <param name="End">Of a block.</param>
/// <param name="Call">Of a call.</param>
/// <param name="BareCall">Of a call that has no block around it.</param>
/// <param name="EndCall">Of a call.</param>
/// <param name="Parameter">Of a parameter.</param>
/// <param name="EndParameter">Of a parameter.</param>
internal sealed record CallTags(string Begin, string End, string Call, string BareCall, string EndCall, string Parameter, string EndParameter);

/// <summary>
/// A dialect with a tag for every call and every parameter. A call ends thinking and needs no block around it. Between a block's tags text means
/// nothing. A value ends at its closing tag only where another tag (or the end) follows, so that it may hold that tag itself; where it is missing,
/// the next parameter or the call's end closes it.
/// </summary>
internal abstract class TagCallsReply : ThinkingReply
{
    private readonly MarkerMatcher inThinking, inText, inCalls, inCall, inValue;
    private readonly ArrayBufferWriter<char> held = new();   // behind a value: its closing tag and white space
    private readonly CallWriter writer;
    private Place place;
    private bool isBare;                                     // the open call has no block around it
    private bool isMalformed;                                // the open block has a call without a name

    private protected TagCallsReply(ReplyOptions options, string think, string endThink, CallTags tags)
        : base(options, [think, endThink, tags.Begin, tags.End])
    {
        writer = new CallWriter(Call, Tools, options);
        var (begin, end) = ((Marker.BeginCalls, tags.Begin), (Marker.EndCalls, tags.End));
        var (call, endCall, parameter) = ((Marker.BeginCall, tags.Call), (Marker.EndCall, tags.EndCall), (Marker.BeginParameter, tags.Parameter));
        inThinking = WithThinking(think, endThink, begin);
        inText = WithThinking(think, endThink, begin, end, (Marker.BeginCall, tags.BareCall));
        inCalls = new(call, endCall, end);
        inCall = new(parameter, endCall, call, end);
        inValue = new((Marker.EndParameter, tags.EndParameter), parameter, endCall, end);
    }

    private enum Place
    {
        Outside,
        Calls,                                               // from here on: in a block
        CallTag,
        Call,
        ParameterTag,
        Value,
        BehindValue,                                         // its closing tag was seen, and white space
    }

    private protected override MarkerMatcher? Matcher => place switch
    {
        Place.Outside when Zone == Zone.Thinking => inThinking,
        Place.Calls => inCalls,
        Place.Call => inCall,
        Place.Value or Place.BehindValue => inValue,
        _ => inText,
    };

    // Half a marker is text, but in a value anything longer than its '<' is most likely its closing tag.
    private protected override void Ended(ReadOnlySpan<char> rest)
    {
        if (!rest.IsEmpty && (place < Place.Calls || rest.Length == 1)) Plain(rest);
        EndValue();
        if (place >= Place.Call) writer.End(isComplete: false);
        if (IsInToolCalls) Close(isFinished: false);
    }

    private protected override void Plain(ReadOnlySpan<char> text)
    {
        if (place == Place.BehindValue)
        {
            if (!Spaces.IsBlank(text)) ValueGoesOn();
            else held.Write(text);
        }
        if (place == Place.Value) writer.Append(text);
        else if (place == Place.Outside) Say(text);
    }

    private protected override bool Found(Marker marker, ReadOnlySpan<char> text)
    {
        switch (marker)
        {
            case Marker.BeginThinking or Marker.EndThinking:
                ThinkingMarker(marker == Marker.BeginThinking, text);
                break;
            case Marker.BeginCalls:
                Open(text, bare: false);
                break;
            case Marker.BeginCall:
                if (!IsInToolCalls) Open(text, bare: true);
                if (place == Place.Call) writer.End(isComplete: true);
                place = Place.CallTag;
                return true;
            case Marker.BeginParameter:
                EndValue();
                place = Place.ParameterTag;
                return true;
            case Marker.EndParameter:
                if (place == Place.BehindValue) ValueGoesOn();
                held.Write(text);
                place = Place.BehindValue;
                break;
            case Marker.EndCall when place == Place.Calls:
                isMalformed = true;                          // it closes a call that was not recognized as one
                break;
            case Marker.EndCall or Marker.EndCalls when IsInToolCalls:
                EndValue();
                if (place == Place.Call) writer.End(isComplete: true);
                place = Place.Calls;
                if (isBare || marker == Marker.EndCalls) Close(isFinished: true);
                break;
        }
        return false;
    }

    private protected override void TagEnded(string name)
    {
        if (place == Place.CallTag)
        {
            isMalformed |= name.Length == 0;
            writer.Begin(name);
        }
        else writer.BeginParameter(name);
        place = place == Place.CallTag ? Place.Call : Place.Value;
    }

    private void EndValue()
    {
        if (place is not (Place.Value or Place.BehindValue)) return;
        writer.EndParameter();
        held.ResetWrittenCount();
        place = Place.Call;
    }

    // The closing tag held back was part of the value.
    private void ValueGoesOn()
    {
        writer.Append(held.WrittenSpan);
        held.ResetWrittenCount();
        place = Place.Value;
    }

    private void Open(ReadOnlySpan<char> marker, bool bare)
    {
        (isBare, isMalformed) = (bare, false);
        OpenCalls(marker);
        place = Place.Calls;
    }

    private void Close(bool isFinished)
    {
        CloseCalls((isMalformed && Options.MalformedCalls == MalformedCalls.AsText)
            || (!isFinished && Options.UnfinishedCalls == UnfinishedCalls.AsText));
        held.ResetWrittenCount();
        place = Place.Outside;
    }
}
