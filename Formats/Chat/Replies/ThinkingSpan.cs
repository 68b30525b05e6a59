namespace Quilt.Formats.Chat.Replies;

/// <summary>The stretch of a reply's tokens that is thinking. Without any, both stretches are empty.</summary>
/// <param name="Thinking">The tokens of the thinking itself.</param>
/// <param name="WithMarkers">The same with the markers around it; everything outside is the reply.</param>
/// <param name="IsOpen">Whether the thinking had not ended by the last token.</param>
public readonly record struct ThinkingSpan(Range Thinking, Range WithMarkers, bool IsOpen)
{
    /// <summary>
    /// Thinking runs from the begin marker, or from the first token where there is none before the end marker, to the first end marker behind it; a
    /// tool call ends it too and belongs to the reply.
    /// </summary>
    internal static ThinkingSpan Find(ReadOnlySpan<int> ids, bool startsThinking, int? begin, int? end, int? toolCall)
    {
        var closed = IndexOf(ids, end);
        var opened = IndexOf(closed >= 0 ? ids[..closed] : ids, begin);
        if (opened < 0 && closed < 0 && !startsThinking) return new(0..0, 0..0, false);
        var first = opened + 1;
        var length = ids.Length - first;
        var (stop, endMarkers) = (length, 0);
        if (IndexOf(ids[first..], end) is >= 0 and var at) (stop, endMarkers) = (at, 1);
        if (IndexOf(ids.Slice(first, stop), toolCall) is >= 0 and var call) (stop, endMarkers) = (call, 0);
        return new(first..(first + stop), Math.Max(opened, 0)..(first + stop + endMarkers), stop == length);
    }

    /// <summary>
    /// Where thinking is a message: from the first channel on, if that is the one to think in, behind its header, to the message's end.
    /// </summary>
    internal static ThinkingSpan FindMessage(ReadOnlySpan<int> ids, bool startsThinking, int? channel, int? thinking, int? message, int? end)
    {
        var (opened, first) = (0, 0);
        if (!startsThinking)
        {
            opened = IndexOf(ids, channel);
            if (opened < 0 || opened + 1 >= ids.Length || thinking is not { } known || ids[opened + 1] != known) return new(0..0, 0..0, false);
            first = IndexOf(ids[opened..], message) is >= 0 and var begun ? opened + begun + 1 : ids.Length;
        }
        return IndexOf(ids[first..], end) is >= 0 and var stop
            ? new(first..(first + stop), opened..(first + stop + 1), false)
            : new(first..ids.Length, opened..ids.Length, true);
    }

    private static int IndexOf(ReadOnlySpan<int> ids, int? id) => id is { } known ? ids.IndexOf(known) : -1;
}
