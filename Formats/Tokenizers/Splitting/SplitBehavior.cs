namespace Quilt.Formats.Tokenizers.Splitting;

/// <summary>What becomes of the matches of a Split: the values of "behavior" in tokenizer.json.</summary>
internal enum SplitBehavior { Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous }

/// <summary>From matches to pieces, as Hugging Face's library does it.</summary>
internal static class SplitBehaviors
{
    /// <summary>Cuts a text of <paramref name="length"/> bytes at its matches and adds the pieces that are left and not empty.</summary>
    /// <param name="matches">In order, not overlapping.</param>
    /// <param name="length">Bytes of the text.</param>
    /// <param name="behavior">What becomes of the matches.</param>
    /// <param name="invert">Whether what lies between the matches counts as the matches.</param>
    /// <param name="pieces">Receives the pieces.</param>
    public static void Cut(List<(int Start, int End)> matches, int length, SplitBehavior behavior, bool invert, List<(int Start, int End)> pieces)
    {
        var first = pieces.Count;
        var previous = 0;
        var wasMatch = false;
        foreach (var (start, end) in matches)
        {
            if (previous != start) Add((previous, start), invert, behavior, first, pieces, ref wasMatch);
            Add((start, end), !invert, behavior, first, pieces, ref wasMatch);
            previous = end;
        }
        if (previous != length) Add((previous, length), invert, behavior, first, pieces, ref wasMatch);
        // Empty matches take part in the merging and are dropped only now.
        var kept = first;
        for (var i = first; i < pieces.Count; i++)
            if (pieces[i].Start != pieces[i].End) pieces[kept++] = pieces[i];
        pieces.RemoveRange(kept, pieces.Count - kept);
    }

    private static void Add(
        (int Start, int End) part, bool match, SplitBehavior behavior, int first, List<(int Start, int End)> pieces, ref bool wasMatch)
    {
        var any = pieces.Count > first;
        var matchBefore = wasMatch;
        wasMatch = match;
        switch (behavior)
        {
            case SplitBehavior.Removed when match: return;
            case SplitBehavior.Contiguous when any && match == matchBefore:
            case SplitBehavior.MergedWithPrevious when any && match && !matchBefore:
            // A match opens a piece, and what follows joins it unless that is a match itself.
            case SplitBehavior.MergedWithNext when any && matchBefore && !match:
                pieces[^1] = (pieces[^1].Start, part.End);
                return;
            default:
                pieces.Add(part);
                return;
        }
    }
}
