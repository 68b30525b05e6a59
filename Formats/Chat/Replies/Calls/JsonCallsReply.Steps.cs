using System.Text;

namespace Quilt.Formats.Chat.Replies;

/// <summary>How text that is no marker is read, step by step.</summary>
internal abstract partial class JsonCallsReply
{
    private protected sealed override void Plain(ReadOnlySpan<char> text)
    {
        while (!text.IsEmpty) text = text[Take(text)..];
    }

    // Takes some of the text; says how much. None where it only becomes clear what the text is part of.
    private int Take(ReadOnlySpan<char> text)
    {
        if (At == Step.None) return Outside(text);
        if (At == Step.Between) return TakeBetween(text);
        if (!isCertain)
        {
            // Before the call's object or arguments begin there is a name at most; an object that no marker announces is most likely an answer.
            var room = (At < Step.Envelope || (IsBare && !envelope.HoldsArguments) ? 2 * MaxNoise : MaxUndecided) - Held;
            if (room <= 0)
            {
                NoCall();
                return 0;
            }
            text = text[..Math.Min(room, text.Length)];
        }
        return At switch
        {
            Step.Begin => TakeBegin(text[0]),
            Step.Head => TakeHead(text[0]),
            Step.Envelope => TakeEnvelope(text),
            Step.Arguments => TakeArguments(text),
            _ => TakeQuoted(text),
        };
    }

    private int TakeBetween(ReadOnlySpan<char> text)
    {
        var c = text[0];
        if (!isVerbatim && BeginsCall(c) && (IsList || !hasSection))
        {
            var list = IsList;
            BeginCall([]);
            IsList = list;
            return 0;
        }
        if (hasSection && !isVerbatim)
        {
            var room = MaxNoise - Held;
            if (room <= 0) Leave();
            else Hold(text[..Math.Min(room, text.Length)]);
            return Math.Clamp(room, 0, text.Length);
        }
        Output.Record([c]);
        isVerbatim |= !(IsPadding(c) || (IsList && c is ',' or ']'));
        if (isVerbatim) Say([c]);
        else if (c == ']' && EndsWithCall) Close();
        return 1;
    }

    private bool BeginsCall(char c) => c == '{' || (IsList && Heads == Heads.InLists && (char.IsLetter(c) || c == '_'));

    private int TakeBegin(char c)
    {
        if (c == '{')
        {
            At = Step.Envelope;
            envelope.Restart();
            return 0;
        }
        if (Spaces.IsSpace(c) || (c == '[' && !IsList && !IsBare))
        {
            IsList |= c == '[';
            Seen([c]);
            return 1;
        }
        if (Heads == Heads.InLists || (Heads == Heads.BehindMarkers && !IsList)) At = Step.Head;
        else NoCall();
        return 0;
    }

    private int TakeHead(char c)
    {
        if (c == ArgumentsBegin)
        {
            if (!TakeUpHead()) NoCall();
            return 0;
        }
        if (c == '"' && IsHeadWhole())
        {
            arguments.Begin(quoted.Clear());
            At = Step.Quoted;
            return 0;
        }
        Seen([c]);
        head.Append(c);
        if (head.Length > MaxHead) NoCall();
        return 1;
    }

    private int TakeQuoted(ReadOnlySpan<char> text)
    {
        var taken = arguments.Read(text);
        Seen(text[..taken]);
        if (!arguments.IsDone) return taken;
        var whole = new StringBuilder();
        if (QuotedArguments.TryRead(quoted, whole))
        {
            TakeUp(NameIn(head.ToString())!);
            Call.Arguments.Append(whole);
            EndCall(isComplete: true);
        }
        else NoCall();
        return taken;
    }

    // A marker ended the part with the name, so that no '{' need follow.
    private bool IsHeadWhole() => head.ToString() is var text && text.Contains(PartEnd) && NameIn(text) is not null;

    private int TakeArguments(ReadOnlySpan<char> text)
    {
        var taken = arguments.Read(text);
        Seen(text[..taken]);
        if (arguments.IsDone) EndCall(isComplete: true);
        else if (arguments.IsBroken) Break();
        return taken;
    }

    private int TakeEnvelope(ReadOnlySpan<char> text)
    {
        var taken = envelope.Read(text);
        Seen(text[..taken]);
        if (envelope.IsReady)
        {
            if (IsBare && !Call.Allows(envelope.Name!)) NoCall();
            else
            {
                TakeUp(envelope.Name!);
                envelope.Begin(Call.Arguments);
            }
        }
        else if (envelope.IsDone && (isCertain || TakeUpNameOnly())) EndCall(isComplete: true);
        else if (envelope.IsDone || (envelope.IsBroken && !isCertain)) NoCall();
        else if (envelope.IsBroken) Break();
        return taken;
    }
}
