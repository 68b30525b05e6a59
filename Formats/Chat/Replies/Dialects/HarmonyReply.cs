using System.Buffers;

namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// gpt-oss's Harmony: a reply is messages, <c>&lt;|start|&gt;assistant&lt;|channel|&gt;C&lt;|message|&gt;…&lt;|end|&gt;</c>, of which the prompt
/// holds the first start. Channel analysis is thinking; a message <c>to=functions.f</c>, in whichever channel, is a call with JSON arguments that
/// <c>&lt;|call|&gt;</c> ends; everything else is text. A header ends the message before it, which may lack its end, but only once it is whole: what
/// turns out to be no header is part of that message. No other marker reaches the text. A reply without any header is text, or thinking where the
/// prompt ended in that. Source: OpenAI's description of the format.
/// </summary>
internal sealed class HarmonyReply : TaggedReply
{
    /// <summary>How thinking begins.</summary>
    internal static readonly string[] Openings = [HarmonyHeader.Channel + HarmonyHeader.Analysis + HarmonyHeader.Message];

    private const string End = "<|end|>", CallEnd = "<|call|>", Return = "<|return|>";
    private static readonly string[] markers = [HarmonyHeader.Start, HarmonyHeader.Channel, HarmonyHeader.Constrain, HarmonyHeader.Message, End,
        CallEnd, Return];

    // Markers by what they mean here: the parts of a header, and the ends of messages.
    private static readonly (Marker, string)[] borders = [(Marker.EndCalls, End), (Marker.EndCalls, CallEnd), (Marker.EndCalls, Return),
        (Marker.BeginCalls, HarmonyHeader.Start), (Marker.BeginCall, HarmonyHeader.Channel)];
    private readonly MarkerMatcher inHeader =
        new([.. borders, (Marker.Separator, HarmonyHeader.Constrain), (Marker.BeginParameter, HarmonyHeader.Message)]);
    private readonly MarkerMatcher inMessage = new(borders);
    private readonly HarmonyCall call;
    private readonly ArrayBufferWriter<char> header = new(); // what may be one, with its markers
    private bool isHeader;                                   // one is read
    private bool isQuoted;                                   // a call in the message is text, so that its end is too
    private Place place;                                     // the message, up to the header's end
    private CodeFences fences;
    private bool hadCalls, hadCallsBefore;

    public HarmonyReply(ReplyOptions options)
        : base(options)
    {
        call = new HarmonyCall(Call);
        (place, isHeader) = options.StartsThinking ? (Place.Thinking, false) : (Place.Start, true);
    }

    private enum Place
    {
        /// <summary>Where the prompt's own start is followed by a header, if one comes.</summary>
        Start,
        Thinking,
        Text,
        Call,

        /// <summary>Behind arguments that broke, in a message that will be passed on as text as a whole.</summary>
        Broken,

        /// <summary>Behind a message.</summary>
        Between,
    }

    public override bool IsThinking => place == Place.Thinking;

    public override bool IsInToolCalls => place is Place.Call or Place.Broken;

    public override IReadOnlyList<string> Markers => markers;

    public override string? ThinkingBegin => null;

    public override string? ThinkingEnd => End;

    private protected override MarkerMatcher? Matcher => isHeader ? inHeader : place == Place.Call && call.IsInString ? null : inMessage;

    private HarmonyHeader Header => new(header.WrittenSpan);

    public override ThinkingSpan FindThinking(ReadOnlySpan<int> ids) => ThinkingSpan.FindMessage(ids, Options.StartsThinking,
        MarkerId(HarmonyHeader.Channel), MarkerId(HarmonyHeader.Analysis), MarkerId(HarmonyHeader.Message), MarkerId(End));

    private protected override void Plain(ReadOnlySpan<char> text)
    {
        while (!text.IsEmpty) text = text[Take(text)..];
    }

    private protected override void Found(Marker marker, ReadOnlySpan<char> text, string name)
    {
        switch (marker)
        {
            case Marker.BeginCall when isHeader && (!Header.HasChannel || Header.IsBegun):
            case Marker.Separator:
                header.Write(text);
                break;
            case Marker.BeginCall or Marker.BeginCalls:
                if (isHeader) CutHeader(isWhole: true);
                if (IsInToolCalls) EndMessage(isEnded: true);
                header.Write(text);
                isHeader = true;
                break;
            case Marker.BeginParameter:
                EndHeader(text);
                break;
            case Marker.EndCalls when (isQuoted || (isHeader && IsExample(Header))) && text.SequenceEqual(CallEnd):
                if (isHeader) NoHeader();
                SayHere(text);
                isQuoted = false;
                break;
            default:
                if (isHeader) CutHeader(isWhole: true);
                Output.Record(text);
                EndMessage(isEnded: true);
                (place, isQuoted) = (Place.Between, false);
                break;
        }
    }

    // Half a marker is text, but in a call or a header anything longer than its '<' is most likely a marker of it.
    private protected override void Ended(ReadOnlySpan<char> rest)
    {
        if (isHeader)
        {
            header.Write(rest);
            CutHeader(isWhole: false);
        }
        else if (!rest.IsEmpty && (place != Place.Call || rest.Length == 1)) Plain(rest);
        EndMessage(isEnded: false);
    }

    private int Take(ReadOnlySpan<char> text)
    {
        if (isHeader)
        {
            header.Write(text);
            if (!Header.IsPossible(isFirst: place == Place.Start)) NoHeader();
            return text.Length;
        }
        switch (place)
        {
            case Place.Call:
                var taken = call.Read(text);
                Output.Record(text[..taken]);
                if (call.IsText) NoCall();
                else if (call.IsBroken) Break();
                return taken;
            case Place.Broken:
                Output.Record(text);
                break;
            case Place.Between when Spaces.IsSpace(text[0]):
                return 1;
            default:
                SayHere(text);
                break;
        }
        return text.Length;
    }

    // The header is whole: it says what the message is.
    private void EndHeader(ReadOnlySpan<char> marker)
    {
        var tool = Header.Tool;
        var (isAnalysis, isExample) = (Header.IsAnalysis, IsExample(Header));
        header.Write(marker);
        isHeader = false;
        if (tool is null)
        {
            (place, isQuoted, fences) = (isAnalysis ? Place.Thinking : Place.Text, false, default);
            header.ResetWrittenCount();
        }
        else if (isExample)
        {
            isQuoted = true;
            NoHeader();
        }
        else BeginCall(tool);
    }

    // A header that has no message: a call without arguments, or half a header; a mere marker is part of the message it stands in.
    private void CutHeader(bool isWhole)
    {
        var cut = Header;
        if (IsExample(cut)) NoHeader();
        else if (cut.Tool is { } tool && (isWhole || cut.IsRecipientWhole))
        {
            BeginCall(tool);
            call.End(isComplete: false);
        }
        else if (cut.Tool is { } begun) Call.CutShort(begun);
        else if (place == Place.Start ? !cut.HasMarkers : place != Place.Between && !cut.IsBegun) NoHeader();
        header.ResetWrittenCount();
        isHeader = false;
    }

    // It is part of the message that it stands in.
    private void NoHeader()
    {
        isHeader = false;
        SayHere(header.WrittenSpan);
        header.ResetWrittenCount();
    }

    private void BeginCall(string tool)
    {
        Output.OpenBlock(header.WrittenSpan);
        header.ResetWrittenCount();
        hadCallsBefore = hadCalls;
        call.Begin(tool);
        place = Place.Call;
    }

    // No JSON, or more than it: what is left of the message is text.
    private void NoCall()
    {
        Output.CloseBlock(asText: false);
        hadCalls |= call.HasCalls;
        place = Place.Text;
        SayHere(call.Rest);
    }

    private void Break()
    {
        call.End(isComplete: false);
        hadCalls = true;
        place = Options.MalformedCalls == MalformedCalls.AsText ? Place.Broken : Place.Text;
        if (place == Place.Text) Output.CloseBlock(asText: false);
    }

    private void EndMessage(bool isEnded)
    {
        var isCut = place == Place.Call && call.IsOpen;
        if (place == Place.Call)
        {
            call.End(isEnded);
            hadCalls |= call.HasCalls;
        }
        if (Output.CloseBlock(place == Place.Broken || (!isEnded && isCut && Options.UnfinishedCalls == UnfinishedCalls.AsText)) is not { } block)
        {
            if (place == Place.Call) SayAs(Place.Text, call.Rest);
            return;
        }
        hadCalls = hadCallsBefore;
        SayAs(Place.Text, block);
    }

    // A call that stands where calls are text.
    private bool IsExample(HarmonyHeader of) => of.Tool is not null && (Options.CallsAsText || (place == Place.Thinking
        ? Options.CallsInThinking == CallsInThinking.AsText
        : place == Place.Text && Options.CallsInFences == CallsInFences.AsText && fences.IsOpen));

    private void SayHere(ReadOnlySpan<char> text)
    {
        if (place != Place.Thinking) place = Place.Text;
        if (Options.CallsInFences == CallsInFences.AsText) fences.Follow(text);
        SayAs(place, text);
    }

    private void SayAs(Place said, ReadOnlySpan<char> text)
    {
        if (said == Place.Thinking) Output.Text(text, isThinking: !Options.ThinkingAsText);
        else if (!(hadCalls && Options.TextAfterCalls == TextAfterCalls.Drop)) Output.Text(text, isThinking: false);
    }
}
