using System.Buffers;

namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// MiniMax-M2: <c>&lt;think&gt;…&lt;/think&gt;text&lt;minimax:tool_call&gt;&lt;invoke name="f"&gt;&lt;parameter name="p"&gt;…&lt;/parameter&gt;&lt;/invoke&gt;&lt;/minimax:tool_call&gt;</c>.
/// A call ends thinking; thinking's markers never reach the text; an invoke needs no block around it. Between a block's tags text means nothing. Tags of invokes and parameters may hold
/// blanks and further attributes. A value ends at its closing tag only where another tag (or the end) follows, so that it may hold that tag itself; where it is missing, the next
/// parameter or the invoke's end closes it. Source: vLLM's parser/minimax_m2.py at 033af9c.
/// </summary>
internal sealed class MiniMaxReply : TaggedReply
{
    private const string Think = "<think>", EndThink = "</think>", Calls = "<minimax:tool_call>", EndCalls = "</minimax:tool_call>";
    private const string Invoke = "<*invoke *name*=", EndInvoke = "<*/*invoke*>", Parameter = "<*parameter *name*=";
    private const int MaxGap = 64;                           // white space held back behind a block, at most
    private static readonly string[] markers = [Think, EndThink, Calls, EndCalls];

    private readonly MarkerMatcher inThinking = new((Marker.BeginThinking, Think), (Marker.EndThinking, EndThink), (Marker.BeginCalls, Calls));
    private readonly MarkerMatcher inText = new(
        (Marker.BeginThinking, Think), (Marker.EndThinking, EndThink), (Marker.BeginCalls, Calls), (Marker.EndCalls, EndCalls), (Marker.BeginCall, "<invoke name="));
    private readonly MarkerMatcher inCalls = new((Marker.BeginCall, Invoke), (Marker.EndCall, EndInvoke), (Marker.EndCalls, EndCalls));
    private readonly MarkerMatcher inCall = new((Marker.BeginParameter, Parameter), (Marker.EndCall, EndInvoke), (Marker.BeginCall, Invoke), (Marker.EndCalls, EndCalls));
    private readonly MarkerMatcher inValue = new(
        (Marker.EndParameter, "<*/*parameter*>"), (Marker.BeginParameter, Parameter), (Marker.EndCall, EndInvoke), (Marker.EndCalls, EndCalls));

    private readonly ArrayBufferWriter<char> held = new();         // behind a block: white space; behind a value: its closing tag and white space
    private Place place;
    private bool isThinking, hadCalls;
    private bool isBare;                                     // the open invoke has no block around it
    private bool isMalformed;                                // the open block has an invoke without a name
    private bool owesThink;                                  // the marker the prompt ended with is still to be put in front

    public MiniMaxReply(ReplyOptions options, bool appendsThink = false)
        : base(options)
    {
        isThinking = options.StartsThinking;
        owesThink = appendsThink && isThinking;
        place = isThinking && !options.ThinkingAsText ? Place.Thinking : Place.Text;
    }

    private enum Place
    {
        Thinking,
        Text,
        BehindCalls,                                         // nothing but white space since
        Calls,                                               // from here on: in a block
        CallTag,
        Call,
        ParameterTag,
        Value,
        BehindValue,                                         // its closing tag was seen, and white space
    }

    public override bool IsThinking => isThinking;

    public override bool IsInToolCalls => place >= Place.Calls;

    private protected override ReadOnlySpan<string> Markers => markers;

    public override ThinkingSpan FindThinking(ReadOnlySpan<int> ids) => ThinkingSpan.Find(ids, Options.StartsThinking, MarkerId(Think), MarkerId(EndThink), MarkerId(Calls));

    private protected override MarkerMatcher Matcher => place switch
    {
        Place.Thinking => inThinking,
        Place.Calls => inCalls,
        Place.Call => inCall,
        Place.Value or Place.BehindValue => inValue,
        _ => inText,
    };

    private protected override void PieceBegun()
    {
        if (owesThink) Output.Text(Think, isThinking: false);
        owesThink = false;
    }

    // Half a marker is text, but in a value anything longer than its '<' is most likely its closing tag.
    private protected override void Ended(ReadOnlySpan<char> rest)
    {
        if (!rest.IsEmpty && (place < Place.Calls || rest.Length == 1)) Plain(rest);
        EndValue();
        if (place >= Place.Call) Call.End(isComplete: false);
        if (IsInToolCalls) CloseCalls(isFinished: false);
    }

    private protected override void Plain(ReadOnlySpan<char> text)
    {
        if (place == Place.BehindCalls)
        {
            var blank = 0;
            while (blank < text.Length && held.WrittenCount + blank < MaxGap && Spaces.IsSpace(text[blank])) blank++;
            held.Write(text[..blank]);
            text = text[blank..];
            if (text.IsEmpty) return;
            var gap = held.WrittenSpan;
            place = Place.Text;
            Plain(gap.StartsWith("\r\n") ? gap[2..] : gap.StartsWith("\n") ? gap[1..] : gap);
            held.ResetWrittenCount();
        }
        else if (place == Place.BehindValue)
        {
            if (!Spaces.IsBlank(text)) ValueGoesOn();
            else held.Write(text);
        }
        if (place == Place.Value) Call.Append(text);
        else if (place == Place.Thinking) Output.Text(text, isThinking: true);
        else if (place == Place.Text && !(hadCalls && Options.TextAfterCalls == TextAfterCalls.Drop)) Output.Text(text, isThinking: false);
    }

    private protected override bool Found(Marker marker, ReadOnlySpan<char> text)
    {
        switch (marker)
        {
            case Marker.BeginThinking or Marker.EndThinking:
                ThinkingMarker(marker == Marker.BeginThinking, text);
                break;
            case Marker.BeginCalls:
                OpenCalls(text, bare: false);
                break;
            case Marker.BeginCall:
                if (!IsInToolCalls) OpenCalls(text, bare: true);
                if (place == Place.Call) Call.End(isComplete: true);
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
                isMalformed = true;                          // it closes an invoke that was not recognized as one
                break;
            case Marker.EndCall or Marker.EndCalls when IsInToolCalls:
                EndValue();
                if (place == Place.Call) Call.End(isComplete: true);
                place = Place.Calls;
                if (isBare || marker == Marker.EndCalls) CloseCalls(isFinished: true);
                break;
        }
        return false;
    }

    private protected override void TagEnded(string name)
    {
        if (place == Place.CallTag)
        {
            isMalformed |= name.Length == 0;
            Call.Begin(name);
        }
        else Call.BeginParameter(name);
        place = place == Place.CallTag ? Place.Call : Place.Value;
    }

    private void ThinkingMarker(bool begins, ReadOnlySpan<char> text)
    {
        isThinking = begins;
        if (Options.ThinkingAsText) Plain(text);
        else if (begins || place == Place.Thinking)
        {
            held.ResetWrittenCount();
            place = begins ? Place.Thinking : Place.Text;
        }
    }

    private void EndValue()
    {
        if (place is not (Place.Value or Place.BehindValue)) return;
        Call.EndParameter();
        held.ResetWrittenCount();
        place = Place.Call;
    }

    // The closing tag held back was part of the value.
    private void ValueGoesOn()
    {
        Call.Append(held.WrittenSpan);
        held.ResetWrittenCount();
        place = Place.Value;
    }

    private void OpenCalls(ReadOnlySpan<char> marker, bool bare)
    {
        held.ResetWrittenCount();
        (isThinking, isBare, isMalformed) = (false, bare, false);
        Output.OpenBlock(marker);
        place = Place.Calls;
    }

    private void CloseCalls(bool isFinished)
    {
        Output.CloseBlock((isMalformed && Options.MalformedCalls == MalformedCalls.AsText) || (!isFinished && Options.UnfinishedCalls == UnfinishedCalls.AsText));
        held.ResetWrittenCount();
        (place, hadCalls) = (Place.BehindCalls, true);
    }
}
