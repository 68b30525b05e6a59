namespace Quilt.Formats.Chat.Replies;

/// <summary>What markers do, and the reply's end.</summary>
internal abstract partial class JsonCallsReply
{
    private protected sealed override void Found(Marker marker, ReadOnlySpan<char> text, string name)
    {
        switch (marker)
        {
            case Marker.BeginThinking or Marker.EndThinking:
                Leave();
                ThinkingMarker(marker == Marker.BeginThinking, text);
                break;
            case Marker.Frame:
                Leave();
                FrameMarker(text);
                break;
            case Marker.BeginCalls:
                BeginSection(text);
                break;
            case Marker.BeginCall:
                Stop();
                BeginCall(text);
                break;
            case Marker.Separator:
                Hold(text);
                At = Step.Head;
                head.Append(PartEnd);
                break;
            case Marker.EndCall or Marker.EndCalls when At == Step.None:
                StrayEnd(text);
                break;
            case Marker.EndCall:
                EndByMarker(text);
                break;
            case Marker.EndCalls:
                EndSection(text);
                break;
        }
    }

    // Half a marker is text, but in a block it is most likely the end of something; in a call, if it is longer than its first character.
    private protected sealed override void Ended(ReadOnlySpan<char> rest)
    {
        if (!rest.IsEmpty && (Zone != Zone.Calls || (rest.Length == 1 && !(At == Step.Between && hasSection)))) Plain(rest);
        isOver = true;
        Stop();
        if (IsUndecided) NoCall();
        if (Zone == Zone.Calls) Close(isFinished: false);
    }

    private void BeginSection(ReadOnlySpan<char> text)
    {
        Stop();
        if (Zone == Zone.Calls) Output.Record(text);
        else
        {
            if (IsUndecided) NoCall();
            Doubt(text);
        }
        (hasSection, IsList, At) = (true, false, Step.Between);
        isText = isVerbatim = false;
    }

    private void EndByMarker(ReadOnlySpan<char> text)
    {
        if (At == Step.Between)
        {
            if (IsUndecided) Hold(text);
            else Output.Record(text);
            if (isText && hasSection) Say(text);
        }
        else
        {
            Seen(text);
            Stop(isEnded: true);
        }
        isVerbatim = isText = false;
        if (Zone == Zone.Calls && !hasSection) Close();
    }

    private void EndSection(ReadOnlySpan<char> text)
    {
        Stop();
        if (Zone == Zone.Calls)
        {
            Output.Record(text);
            Forget();
            Close();
            return;
        }
        if (At == Step.None) StrayEnd(text);
        else
        {
            Hold(text);
            NoCall();
        }
    }
}
