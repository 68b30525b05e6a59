using System.Text;

namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// GLM 4.5 to 4.7: <c>&lt;tool_call&gt;f&lt;arg_key&gt;k&lt;/arg_key&gt;&lt;arg_value&gt;v&lt;/arg_value&gt;…&lt;/tool_call&gt;</c>, with line breaks
/// between the tags or without, thinking in <c>&lt;think&gt;</c>. Strings stand in a value as they are, to the last blank; everything else is JSON.
/// What is no call, for want of a name, is text. Source: the chat templates of GLM 4.5 and 4.7.
/// </summary>
internal sealed class GlmReply : ThinkingReply
{
    private const string Think = "<think>", EndThink = "</think>", Begin = "<tool_call>", End = "</tool_call>";
    private const int MaxName = 1024;
    private static readonly string[] markers = [Think, EndThink, Begin, End];

    private readonly MarkerMatcher inText = WithThinking(Think, EndThink, (Marker.BeginCall, Begin));
    private readonly MarkerMatcher inCall = new((Marker.BeginParameter, "<arg_key>"), (Marker.EndCall, End));
    private readonly MarkerMatcher inKey = new((Marker.Separator, "</arg_key>"));
    private readonly MarkerMatcher beforeValue = new((Marker.BeginParameter, "<arg_key>"), (Marker.Separator, "<arg_value>"), (Marker.EndCall, End));
    private readonly MarkerMatcher inValue = new((Marker.EndParameter, "</arg_value>"));
    private readonly StringBuilder raw = new();              // of a call that is not certain yet
    private readonly StringBuilder name = new();             // of the call, then of each parameter
    private readonly CallWriter writer;
    private Place place;

    public GlmReply(ReplyOptions options)
        : base(options with { Arguments = options.Arguments with { Edge = ValueEdge.Exact, JsonWithoutSchema = true } }, markers) =>
            writer = new CallWriter(Call, Tools, Options);

    private enum Place
    {
        Outside,
        Name,
        Call,                                                // from here on: the call is certain
        Key,
        BeforeValue,
        Value,
    }

    private protected override MarkerMatcher? Matcher => place switch
    {
        Place.Outside => inText,
        Place.Name or Place.Call => inCall,
        Place.Key => inKey,
        Place.BeforeValue => beforeValue,
        _ => inValue,
    };

    private protected override void Plain(ReadOnlySpan<char> text)
    {
        switch (place)
        {
            case Place.Outside:
                Say(text);
                break;
            case Place.Name:
                raw.Append(text);
                name.Append(text);
                if (name.Length > MaxName) NoCall();
                break;
            case Place.Key:
                name.Append(text);
                break;
            case Place.Value:
                writer.Append(text);
                break;
        }
    }

    private protected override bool Found(Marker marker, ReadOnlySpan<char> text)
    {
        switch (marker)
        {
            case Marker.BeginThinking or Marker.EndThinking:
                ThinkingMarker(marker == Marker.BeginThinking, text);
                break;
            case Marker.BeginCall:
                place = Place.Name;
                name.Clear();
                raw.Clear().Append(text);
                break;
            case Marker.BeginParameter or Marker.EndCall when place == Place.Name && !TakeUp(text):
                break;
            case Marker.BeginParameter:
                place = Place.Key;
                name.Clear();
                break;
            case Marker.Separator when place == Place.Key:
                place = Place.BeforeValue;
                break;
            case Marker.Separator:
                writer.BeginParameter(name.ToString().Trim());
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
        return false;
    }

    // Half a marker is text, but in a call anything longer than its '<' is most likely its end.
    private protected override void Ended(ReadOnlySpan<char> rest)
    {
        if (!rest.IsEmpty && (place < Place.Call || rest.Length == 1)) Plain(rest);
        if (place == Place.Name) NoCall();
        if (place == Place.Outside) return;
        if (place == Place.Value) writer.EndParameter();
        writer.End(isComplete: false);
        Close(isFinished: false);
    }

    // A tag says that the call is one, if it has a name.
    private bool TakeUp(ReadOnlySpan<char> tag)
    {
        var called = name.ToString().Trim();
        raw.Append(tag);
        if (called.Length == 0 || called.AsSpan().ContainsAny(" \t\r\n"))
        {
            NoCall();
            return false;
        }
        OpenCalls(raw.ToString());
        writer.Begin(called);
        place = Place.Call;
        return true;
    }

    private void NoCall()
    {
        place = Place.Outside;
        foreach (var chunk in raw.GetChunks()) Say(chunk.Span);
    }

    private void Close(bool isFinished)
    {
        place = Place.Outside;
        CloseCalls(asText: !isFinished && Options.UnfinishedCalls == UnfinishedCalls.AsText);
    }
}
