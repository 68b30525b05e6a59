namespace Quilt.Formats.Chat.Replies;

/// <summary>How calls become certain, or turn out to be none, and how they and their blocks end.</summary>
internal abstract partial class JsonCallsReply
{
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
            isMalformed = false;
            OpenCalls();
        }
        Forget();
        isCertain = true;
        Call.Begin(name);
    }

    // Whatever is read of a call: held for as long as the call is not certain.
    private void Seen(ReadOnlySpan<char> text)
    {
        if (!isCertain) Hold(text);
        else Output.Record(text);
    }

    // It was none: text, in the place where it began.
    private void NoCall()
    {
        At = Zone == Zone.Calls ? Step.Between : Step.None;
        if (Zone != Zone.Calls) hasSection = false;
        isCertain = isText = isVerbatim = true;
        Release();
    }

    // What follows is no JSON: the call is over, but its block is not.
    private void Break()
    {
        isMalformed = true;
        Stop();
        isVerbatim = true;
    }

    // The call ends here, whether it is whole or not; with a part of it that may yet be a call, unless it is only a draft.
    private void Stop(bool isEnded = false, bool isDraft = false)
    {
        if (At is Step.None or Step.Between) return;
        if (isCertain)
        {
            if (At == Step.Envelope) envelope.Close();
            else arguments.Close();
            EndCall(isComplete: At == Step.Envelope && envelope.HasArguments);
        }
        else if (!isDraft && At == Step.Head && IsHeadWhole() && TakeUpHead()) EndCall(isComplete: isEnded);
        else if (!isDraft && At == Step.Envelope && TakeUpNameOnly()) EndCall(isComplete: false);
        else NoCall();
    }

    // No call follows: the block is over without its end, or was none.
    private void Leave()
    {
        Stop(isDraft: true);
        if (IsUndecided) NoCall();
        if (Zone == Zone.Calls) Close();
    }

    private void EndCall(bool isComplete)
    {
        if (Call.Arguments.Length == 0) Call.Arguments.Append("{}");
        Call.End(isComplete);
        (At, isVerbatim) = (Step.Between, false);
        if (EndsWithCall && !IsList && !hasSection) Close(isFinished: !isOver);
    }

    private void Close(bool isFinished = true)
    {
        At = Step.None;
        hasSection = false;
        CloseCalls((isMalformed && Options.MalformedCalls == MalformedCalls.AsText)
            || (!isFinished && Options.UnfinishedCalls == UnfinishedCalls.AsText));
    }
}
