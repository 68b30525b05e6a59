using System.Text;

namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// GLM 4.5 to 4.7: <c>&lt;tool_call&gt;f&lt;arg_key&gt;k&lt;/arg_key&gt;&lt;arg_value&gt;v&lt;/arg_value&gt;…&lt;/tool_call&gt;</c>, with line breaks
/// between the tags or without, thinking in <c>&lt;think&gt;</c>. Strings stand in a value as they are, to the last blank; everything else is JSON.
/// What is no call, for want of a name, is text. Where a value's end is missing, the call's end closes it if the reply ends there or another call
/// begins. Source: the chat templates of GLM 4.5 and 4.7.
/// </summary>
internal sealed class GlmReply : ThinkingReply
{
    /// <summary>How thinking begins.</summary>
    internal static readonly string[] Openings = [Think];

    private const string Think = "<think>", EndThink = "</think>", Begin = "<tool_call>", End = "</tool_call>";
    private const string Key = "<arg_key>", EndKey = "</arg_key>", Value = "<arg_value>", EndValue = "</arg_value>";
    private static readonly string[] markers = [Think, EndThink, Begin, End];

    private readonly MarkerMatcher inText = WithThinking(Think, EndThink, (Marker.BeginCall, Begin), (Marker.EndCall, End));
    private readonly MarkerMatcher asText = WithThinking(Think, EndThink);
    private readonly MarkerMatcher inName = WithThinking(Think, EndThink, (Marker.BeginCall, Begin), (Marker.BeginParameter, Key),
        (Marker.EndCall, End), (Marker.Stray, EndKey), (Marker.Stray, Value), (Marker.Stray, EndValue));
    private readonly MarkerMatcher inCall =
        WithThinking(Think, EndThink, (Marker.BeginCall, Begin), (Marker.BeginParameter, Key), (Marker.EndCall, End));
    private readonly MarkerMatcher inKey = WithThinking(Think, EndThink, (Marker.BeginCall, Begin), (Marker.BeginParameter, Key),
        (Marker.EndCall, End), (Marker.Stray, EndKey), (Marker.Separator, Value));
    private readonly MarkerMatcher inValue = new((Marker.EndParameter, EndValue), (Marker.EndCall, End));
    private readonly MarkerMatcher behindEnd = new((Marker.EndParameter, EndValue), (Marker.EndCall, End), (Marker.BeginCall, Begin));
    private readonly StringBuilder name = new();             // of the call, then of each parameter
    private readonly StringBuilder behind = new();           // in a value: what may be the call's end
    private readonly CallWriter writer;
    private Place place;
    private bool hasName;                                    // it was read to its end

    public GlmReply(ReplyOptions options)
        : base(options with { Arguments = options.Arguments with { Edge = ValueEdge.Exact, JsonWithoutSchema = true } }, markers) =>
            writer = new CallWriter(Call, Tools, Options);

    private enum Place
    {
        Outside,
        Name,
        Call,                                                // from here on: the call is certain
        Key,                                                 // up to the value
        Value,
        BehindEnd,                                           // in a value, behind what may be the call's end
    }

    private protected override MarkerMatcher? Matcher => place switch
    {
        Place.Outside => TakesCalls ? inText : asText,
        Place.Name => inName,
        Place.Call => inCall,
        Place.Key => inKey,
        Place.Value => inValue,
        _ => behindEnd,
    };

    private protected override void Plain(ReadOnlySpan<char> text)
    {
        while (!text.IsEmpty) text = text[Take(text)..];
    }

    private protected override void Found(Marker marker, ReadOnlySpan<char> text, string unused)
    {
        switch (marker)
        {
            case Marker.BeginThinking or Marker.EndThinking:
                ForgetKey();
                Leave();
                ThinkingMarker(marker == Marker.BeginThinking, text);
                break;
            case Marker.BeginCall:
                EndByEnd();
                ForgetKey();
                Leave();
                Doubt(text);
                (place, hasName) = (Place.Name, false);
                name.Clear();
                break;
            case Marker.Stray when place == Place.Name:
                Hold(text);
                hasName = !Spaces.IsBlank(name.ToString());
                break;
            case Marker.EndCall when place == Place.Outside:
                StrayEnd(text);
                break;
            case Marker.EndCall when place >= Place.Value:
                if (place == Place.BehindEnd) ValueGoesOn();
                behind.Append(text);
                place = Place.BehindEnd;
                break;
            case Marker.BeginParameter or Marker.EndCall when place == Place.Name && !TakeUp(text):
                break;
            default:
                if (place == Place.BehindEnd) ValueGoesOn();
                Output.Record(text);
                Inside(marker);
                break;
        }
    }

    // Half a marker is text, but in a call it is most likely a tag of it; in a value, if it is longer than its '<'.
    private protected override void Ended(ReadOnlySpan<char> rest)
    {
        if (!rest.IsEmpty && (place < Place.Call || (rest.Length == 1 && place >= Place.Value))) Plain(rest);
        EndByEnd();
        ForgetKey();
        if (place == Place.Name) Leave();
        if (place == Place.Outside) return;
        if (place == Place.Value) writer.EndParameter();
        writer.End(isComplete: false);
        Close(isFinished: false);
    }

    private int Take(ReadOnlySpan<char> text)
    {
        switch (place)
        {
            case Place.Outside:
                Say(text);
                break;
            case Place.Name or Place.Call or Place.Key:
                var room = MaxNoise - Held;
                if (room == 0)
                {
                    Leave();
                    return 0;
                }
                text = text[..Math.Min(room, text.Length)];
                Hold(text);
                if (place != Place.Call && !hasName) name.Append(text);
                break;
            case Place.BehindEnd when !Spaces.IsBlank(text):
                ValueGoesOn();
                return 0;
            case Place.BehindEnd:
                behind.Append(text);
                break;
            default:
                Output.Record(text);
                writer.Append(text);
                break;
        }
        return text.Length;
    }

    // A tag of the call, which is certain.
    private void Inside(Marker marker)
    {
        Forget();
        switch (marker)
        {
            case Marker.BeginParameter:
                (place, hasName) = (Place.Key, false);
                name.Clear();
                break;
            case Marker.Stray:
                hasName = true;                              // the key's end
                break;
            case Marker.Separator:
                // A key that runs over a line break is none.
                var key = name.ToString().Trim();
                writer.BeginParameter(key.Contains('\n') ? "" : key);
                place = Place.Value;
                break;
            case Marker.EndParameter:
                writer.EndParameter();
                place = Place.Call;
                break;
            case Marker.EndCall:
                writer.End(isComplete: true);
                Close(isFinished: true);
                break;
        }
    }

    // A tag says that the call is one, if it has a name.
    private bool TakeUp(ReadOnlySpan<char> tag)
    {
        var called = name.ToString().Trim();
        if (called.Length == 0 || (called.AsSpan().ContainsAny(" \t\r\n") && Tools.Find(called).Tool is null))
        {
            Hold(tag);
            Leave();
            return false;
        }
        OpenCalls();
        writer.Begin(called);
        place = Place.Call;
        return true;
    }

    // No call follows that could be one, or the call is over without its end.
    private void Leave()
    {
        if (IsUndecided) Release();
        if (place >= Place.Call)
        {
            writer.End(isComplete: false);
            Close(isFinished: true);
        }
        place = Place.Outside;
    }

    // Half a key is no text.
    private void ForgetKey()
    {
        if (place == Place.Key) Forget();
    }

    // What may be the call's end is: nothing else follows it.
    private void EndByEnd()
    {
        if (place != Place.BehindEnd) return;
        Output.Record(behind.ToString());
        behind.Clear();
        writer.EndParameter();
        writer.End(isComplete: true);
        Close(isFinished: true);
    }

    private void ValueGoesOn()
    {
        Output.Record(behind.ToString());
        foreach (var chunk in behind.GetChunks()) writer.Append(chunk.Span);
        behind.Clear();
        place = Place.Value;
    }

    private void Close(bool isFinished)
    {
        place = Place.Outside;
        CloseCalls(asText: !isFinished && Options.UnfinishedCalls == UnfinishedCalls.AsText);
    }
}
