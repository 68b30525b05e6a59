using System.Buffers;

namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// A dialect with a tag for every call and every parameter. A call ends thinking and needs no block around it. Between a block's tags, and a call's,
/// text means nothing if another tag of them follows; if none does the block is over, and it is text. A value ends at its closing tag only where
/// another tag (or the end) follows, so that it may hold that tag itself; where it is missing, the next parameter or the call's end closes it.
/// </summary>
internal abstract class TagCallsReply : ThinkingReply
{
    private readonly MarkerMatcher inThinking, inText, inCalls, inCall, inValue, behindValue, asText;
    private readonly ArrayBufferWriter<char> behind = new(); // a value: its closing tag and white space
    private readonly CallWriter writer;
    private Place place;
    private string? pending;                                 // a call's name, while nothing but the tag with it says that there is a call
    private bool isBare;                                     // the open call has no block around it
    private bool isMalformed;                                // the open block has a call without a name

    private protected TagCallsReply(ReplyOptions options, string think, string endThink, CallTags tags)
        : base(options, [think, endThink, tags.Begin, tags.End], hasAttributes: tags.HasAttributes)
    {
        writer = new CallWriter(Call, Tools, options);
        var (begin, end, endCall) = ((Marker.BeginCalls, tags.Begin), (Marker.EndCalls, tags.End), (Marker.EndCall, tags.EndCall));
        var (call, nameless, parameter) =
            ((Marker.BeginCall, tags.Call), (Marker.BeginCall, tags.NamelessCall), (Marker.BeginParameter, tags.Parameter));
        inThinking = WithThinking(think, endThink, begin);
        inText = WithThinking(think, endThink, begin, end, (Marker.BeginCall, tags.BareCall));
        inCalls = WithThinking(think, endThink, begin, end, call, nameless, endCall);
        inCall = WithThinking(think, endThink, begin, end, call, nameless, endCall, parameter);
        inValue = new((Marker.EndParameter, tags.EndParameter), parameter, endCall, end);
        behindValue = WithThinking(think, endThink, (Marker.EndParameter, tags.EndParameter), parameter, endCall, end, begin, call, nameless);
        asText = WithThinking(think, endThink);
    }

    private enum Place
    {
        Outside,
        Calls,                                               // from here on: in a block, or in what may become one
        Call,
        Value,
        BehindValue,                                         // its closing tag was seen, and white space
    }

    private protected override MarkerMatcher? Matcher => place switch
    {
        Place.Outside or Place.Calls when Zone != Zone.Calls && !TakesCalls => asText,
        Place.Outside => Zone == Zone.Thinking ? inThinking : inText,
        Place.Calls => inCalls,
        Place.Call => inCall,
        Place.BehindValue => behindValue,
        _ => inValue,
    };

    private protected override void Plain(ReadOnlySpan<char> text)
    {
        while (!text.IsEmpty) text = text[Take(text)..];
    }

    // Behind a value's closing tag it is still meant as one, so that the value is over. A call's, which lacks its '>', is one if its name is
    // declared.
    private protected override void NoTag(Marker marker, ReadOnlySpan<char> text, string name)
    {
        if (place == Place.BehindValue) EndValue();
        if (marker == Marker.BeginCall && Tools.Find(name).Tool is not null) BeginCall(text, name);
        else Plain(text);
    }

    private protected override void Found(Marker marker, ReadOnlySpan<char> text, string name)
    {
        if (place == Place.BehindValue && marker != Marker.EndParameter) EndValue();
        switch (marker)
        {
            case Marker.BeginThinking or Marker.EndThinking:
                Leave();
                ThinkingMarker(marker == Marker.BeginThinking, text);
                break;
            case Marker.BeginCalls when place == Place.Calls && Zone == Zone.Calls:
                Hold(text);
                Forget();
                break;
            case Marker.BeginCalls:
                if (place == Place.Call && pending is null) Close(isFinished: true);
                else Leave();
                Doubt(text);
                (isBare, isMalformed, place) = (false, false, Place.Calls);
                break;
            case Marker.BeginCall:
                BeginCall(text, name);
                break;
            case Marker.EndCall when place == Place.Calls:
                isMalformed = true;                          // it closes a call that was not recognized as one
                Hold(text);
                break;
            case Marker.EndCalls when place == Place.Outside:
                StrayEnd(text);
                break;
            case Marker.EndCalls when IsUndecided && pending is null:
                Hold(text);
                Leave();
                break;
            case Marker.EndCall or Marker.EndCalls:
                End(marker, text);
                break;
            default:
                Parameter(marker, text, name);
                break;
        }
    }

    // Half a marker is text, but in a block it is most likely a tag of it; in a value, if it is longer than its '<'.
    private protected override void Ended(ReadOnlySpan<char> rest)
    {
        if (!rest.IsEmpty && (Zone != Zone.Calls || (rest.Length == 1 && place >= Place.Value))) Plain(rest);
        if (pending is not null) TakeUp();
        if (IsUndecided) Leave();
        if (Zone != Zone.Calls) return;
        EndValue();
        if (place == Place.Call) EndCall(isComplete: false);
        place = Place.Calls;
        if (CutTag == Marker.BeginCall) Call.CutShort(CutName);
        Close(isFinished: false);
    }

    private int Take(ReadOnlySpan<char> text)
    {
        switch (place)
        {
            case Place.Outside:
                Say(text);
                break;
            case Place.Calls or Place.Call:
                var room = MaxNoise - Held;
                if (room == 0) Leave();
                else Hold(text[..Math.Min(room, text.Length)]);
                return Math.Min(room, text.Length);
            case Place.BehindValue when !Spaces.IsBlank(text):
                ValueGoesOn();
                return 0;
            case Place.BehindValue:
                Output.Record(text);
                behind.Write(text);
                break;
            default:
                Output.Record(text);
                writer.Append(text);
                break;
        }
        return text.Length;
    }

    private void BeginCall(ReadOnlySpan<char> text, string name)
    {
        if (place == Place.Outside)
        {
            Doubt(text);
            (isBare, isMalformed) = (true, false);
        }
        else
        {
            if (place == Place.Call) EndCall(isComplete: true);
            Hold(text);
        }
        (pending, place) = (name, Place.Call);
    }

    // A tag of the call follows, or its end, or another call: it is one.
    private void TakeUp()
    {
        if (pending is null) return;
        if (Zone != Zone.Calls) OpenCalls();
        Forget();
        writer.Begin(pending);
        pending = null;
    }

    private void Parameter(Marker marker, ReadOnlySpan<char> text, string name)
    {
        TakeUp();
        Output.Record(text);
        if (marker == Marker.EndParameter)
        {
            if (place == Place.BehindValue) ValueGoesOn();
            behind.Write(text);
            place = Place.BehindValue;
            return;
        }
        EndValue();
        Forget();
        writer.BeginParameter(name);
        place = Place.Value;
    }

    private void End(Marker marker, ReadOnlySpan<char> text)
    {
        TakeUp();
        Output.Record(text);
        EndValue();
        if (place == Place.Call) EndCall(isComplete: true);
        Forget();
        place = Place.Calls;
        if (isBare || marker == Marker.EndCalls) Close(isFinished: true);
    }

    private void EndCall(bool isComplete)
    {
        TakeUp();
        writer.End(isComplete);
        isMalformed |= Call.WasNameless;
    }

    private void EndValue()
    {
        if (place is not (Place.Value or Place.BehindValue)) return;
        writer.EndParameter();
        behind.ResetWrittenCount();
        place = Place.Call;
    }

    // The closing tag held back was part of the value.
    private void ValueGoesOn()
    {
        writer.Append(behind.WrittenSpan);
        behind.ResetWrittenCount();
        place = Place.Value;
    }

    // No tag follows that is a block's: it is over without its end, or was none.
    private void Leave()
    {
        if (IsUndecided) Release();
        else if (place == Place.Call && pending is null) EndCall(isComplete: false);
        (place, pending) = (Place.Outside, null);
        if (Zone == Zone.Calls) Close(isFinished: true);
    }

    private void Close(bool isFinished)
    {
        if (place == Place.Call) EndCall(isComplete: isFinished);
        place = Place.Outside;
        CloseCalls((isMalformed && Options.MalformedCalls == MalformedCalls.AsText)
            || (!isFinished && Options.UnfinishedCalls == UnfinishedCalls.AsText));
    }
}
