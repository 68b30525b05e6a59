using System.Text;

namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// gpt-oss's Harmony: a reply is messages, <c>&lt;|start|&gt;assistant&lt;|channel|&gt;C&lt;|message|&gt;…&lt;|end|&gt;</c>, of which the prompt
/// holds the first start. Channel analysis is thinking; a message <c>to=functions.f</c>, in whichever channel, is a call with JSON arguments that
/// <c>&lt;|call|&gt;</c> ends; everything else is text. No marker reaches the text. A reply without any header is text, or thinking where the prompt
/// ended in that. Source: OpenAI's description of the format.
/// </summary>
internal sealed class HarmonyReply : TaggedReply
{
    private const string Start = "<|start|>", Channel = "<|channel|>", Constrain = "<|constrain|>", Message = "<|message|>", End = "<|end|>",
        CallEnd = "<|call|>", Return = "<|return|>";
    private const string Recipient = "to=", Prefix = "functions.", Role = "assistant", Analysis = "analysis";
    private const int MaxHeader = 4096;
    private static readonly string[] markers = [Start, Channel, Constrain, Message, End, CallEnd, Return];

    // Markers by what they mean here: the parts of a header, and the ends of messages.
    private static readonly (Marker, string)[] ends = [(Marker.EndCalls, End), (Marker.EndCalls, CallEnd), (Marker.EndCalls, Return),
        (Marker.BeginCalls, Start), (Marker.BeginCall, Channel)];
    private readonly MarkerMatcher inHeader = new([.. ends, (Marker.Separator, Constrain), (Marker.BeginParameter, Message)]);
    private readonly MarkerMatcher inMessage = new(ends);
    private readonly JsonRelay arguments = new();
    private readonly StringBuilder header = new();           // with its markers
    private Place place;
    private string? pending;                                 // a call's name, its arguments are to come
    private bool hadCalls;

    public HarmonyReply(ReplyOptions options)
        : base(options) => place = options.StartsThinking ? Place.Thinking : Place.Start;

    private enum Place
    {
        /// <summary>Where the prompt's own start is followed by a header, if one comes.</summary>
        Start,
        Header,
        Thinking,
        Text,
        Arguments,

        /// <summary>Arguments are to come, or are over.</summary>
        Call,

        /// <summary>Behind arguments that broke, in a message that will be passed on as text as a whole.</summary>
        Broken,

        /// <summary>Behind a message.</summary>
        Between,
    }

    public override bool IsThinking => place == Place.Thinking;

    public override bool IsInToolCalls => place is Place.Arguments or Place.Call or Place.Broken;

    public override IReadOnlyList<string> Markers => markers;

    private protected override MarkerMatcher? Matcher => place switch
    {
        Place.Start or Place.Header => inHeader,
        Place.Arguments when arguments.IsInString => null,
        _ => inMessage,
    };

    public override ThinkingSpan FindThinking(ReadOnlySpan<int> ids)
    {
        var (opened, first) = (0, 0);
        if (!Options.StartsThinking)
        {
            opened = IndexOf(ids, MarkerId(Channel));
            if (opened < 0 || opened + 1 >= ids.Length || MarkerId(Analysis) is not { } analysis || ids[opened + 1] != analysis)
                return new(0..0, 0..0, false);
            first = IndexOf(ids[opened..], MarkerId(Message)) is >= 0 and var message ? opened + message + 1 : ids.Length;
        }
        return IndexOf(ids[first..], MarkerId(End)) is >= 0 and var end
            ? new(first..(first + end), opened..(first + end + 1), false)
            : new(first..ids.Length, opened..ids.Length, true);
    }

    private protected override void Plain(ReadOnlySpan<char> text)
    {
        while (!text.IsEmpty) text = text[Take(text)..];
    }

    private protected override bool Found(Marker marker, ReadOnlySpan<char> text)
    {
        switch (marker)
        {
            case Marker.BeginCall when place is Place.Start or Place.Header:
            case Marker.Separator:
                place = Place.Header;
                header.Append(text);
                break;
            case Marker.BeginParameter:
                EndHeader(text);
                break;
            default:
                EndMessage(isEnded: true);
                header.Clear();
                place = marker == Marker.EndCalls ? Place.Between : Place.Header;
                if (marker == Marker.BeginCall) header.Append(text);
                break;
        }
        return false;
    }

    // Half a marker is text, but behind a header anything longer than its '<' is most likely the call's end.
    private protected override void Ended(ReadOnlySpan<char> rest)
    {
        if (!rest.IsEmpty && place is not (Place.Header or Place.Arguments or Place.Call)) Plain(rest);
        EndMessage(isEnded: false);
    }

    private int Take(ReadOnlySpan<char> text)
    {
        switch (place)
        {
            case Place.Start or Place.Header:
                header.Append(text);
                if (header.Length <= MaxHeader && (place == Place.Header || MayBeHeader(header.ToString().TrimStart()))) break;
                place = Place.Text;
                SayHeader();
                break;
            case Place.Thinking:
                Output.Text(text, isThinking: !Options.ThinkingAsText);
                break;
            case Place.Text:
                Say(text);
                break;
            case Place.Arguments:
                return TakeArguments(text);
            case Place.Broken:
                break;
            case var _ when Spaces.IsSpace(text[0]):
                return 1;
            case Place.Call when text[0] == '{' && pending is not null:
                TakeUp();
                arguments.Begin(Call.Arguments);
                place = Place.Arguments;
                return 0;
            default:
                // No JSON, or more than it.
                pending = null;
                Output.CloseBlock(asText: false);
                place = Place.Text;
                return 0;
        }
        return text.Length;
    }

    private int TakeArguments(ReadOnlySpan<char> text)
    {
        var taken = arguments.Read(text);
        if (arguments.IsDone)
        {
            Call.End(isComplete: true);
            place = Place.Call;
        }
        else if (arguments.IsBroken)
        {
            arguments.Close();
            Call.End(isComplete: false);
            place = Options.MalformedCalls == MalformedCalls.AsText ? Place.Broken : Place.Text;
            if (place == Place.Text) Output.CloseBlock(asText: false);
        }
        return taken;
    }

    // The header is whole: it says what the message is.
    private void EndHeader(ReadOnlySpan<char> marker)
    {
        if (RecipientIn(header.ToString(), out _) is { } name)
        {
            Output.OpenBlock(header.Append(marker).ToString());
            (pending, place) = (name, Place.Call);
        }
        else place = Behind(header.ToString(), Channel) == Analysis ? Place.Thinking : Place.Text;
        header.Clear();
    }

    private void EndMessage(bool isEnded)
    {
        switch (place)
        {
            case Place.Start:
                SayHeader();
                break;
            case Place.Header when RecipientIn(header.ToString(), out var isWhole) is { } name && isWhole:
                pending = name;
                EndEmptyCall(isComplete: false);
                break;
            case Place.Call when pending is not null:
                EndEmptyCall(isEnded);
                break;
            case Place.Arguments:
                arguments.Close();
                Call.End(isComplete: false);
                break;
        }
        Output.CloseBlock(place == Place.Broken || (!isEnded && place == Place.Arguments && Options.UnfinishedCalls == UnfinishedCalls.AsText));
    }

    private void EndEmptyCall(bool isComplete)
    {
        TakeUp();
        Call.Arguments.Append("{}");
        Call.End(isComplete);
    }

    private void TakeUp()
    {
        Call.Begin(pending!);
        (pending, hadCalls) = (null, true);
    }

    private void SayHeader()
    {
        Say(header.ToString());
        header.Clear();
    }

    private void Say(ReadOnlySpan<char> text)
    {
        if (!(hadCalls && Options.TextAfterCalls == TextAfterCalls.Drop)) Output.Text(text, isThinking: false);
    }

    // Behind the prompt's own start: a channel, which is a marker, or a recipient; a reply without a header may not be held back.
    private static bool MayBeHeader(string text) => Begins(text, Recipient) || Begins(text, Role);

    private static bool Begins(string text, string with) =>
        text.StartsWith(with, StringComparison.Ordinal) || with.StartsWith(text, StringComparison.Ordinal);

    /// <summary>Whom a message is to, without the prefix of functions; null where it is to the user.</summary>
    /// <param name="header">A header with its markers.</param>
    /// <param name="isWhole">Whether something follows the name, so that it is not cut short.</param>
    private static string? RecipientIn(string header, out bool isWhole)
    {
        isWhole = false;
        if (Behind(header, Recipient) is not { Length: > 0 } name || name == Role) return null;
        isWhole = !header.EndsWith(name, StringComparison.Ordinal);
        return name.StartsWith(Prefix, StringComparison.Ordinal) && name.Length > Prefix.Length ? name[Prefix.Length..] : name;
    }

    // The word behind the first of these; null where there is none.
    private static string? Behind(string header, string what)
    {
        var at = header.IndexOf(what, StringComparison.Ordinal);
        if (at < 0) return null;
        var rest = header.AsSpan(at + what.Length).TrimStart();
        var end = rest.IndexOfAny(" \t\r\n<");
        return (end < 0 ? rest : rest[..end]).ToString();
    }

    private static int IndexOf(ReadOnlySpan<int> ids, int? id) => id is { } known ? ids.IndexOf(known) : -1;
}
