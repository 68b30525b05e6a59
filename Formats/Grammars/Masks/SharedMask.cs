namespace Quilt.Formats.Grammars.Masks;

/// <summary>The tokens of a shortened state, and where those of the states that it stands for may differ.</summary>
/// <param name="Mask">Tokens that are allowed.</param>
/// <param name="Open">Nodes below which more may be allowed.</param>
/// <param name="Slice">The slice whose characters may come first and change nothing, where there is one.</param>
/// <param name="Rests">The tokens then that are not of its characters alone.</param>
internal sealed record SharedMask(TokenMask Mask, OpenNode[] Open, TokenSlice? Slice, int[] Rests)
{
    private readonly List<int> longest = [];
    private int next;
    private int reached = int.MaxValue;
    private bool isRanked;

    /// <summary>Adds the tokens that are not allowed in a state in which only so many characters of the slice may come first.</summary>
    /// <param name="most">How many.</param>
    /// <param name="isAllowed">Whether a token is allowed that is not of the slice's characters alone, and may not be.</param>
    /// <param name="exact">Up to how many bytes it surely is; not above <paramref name="most"/>.</param>
    /// <param name="vocabulary">The vocabulary.</param>
    /// <param name="less">Takes them.</param>
    public void AddBeyond(int most, Func<int, bool> isAllowed, int exact, GrammarVocabulary vocabulary, List<int> less)
    {
        if (!isRanked) Array.Sort(Array.ConvertAll(Rests, token => -vocabulary.Bytes(token).Length), Rests);
        isRanked = true;
        foreach (var token in Rests)
        {
            if (vocabulary.Bytes(token).Length <= exact) break;
            if (Slice!.Characters(token) > most || !isAllowed(token)) less.Add(token);
        }
        less.AddRange(Slice!.Beyond(most));
    }

    /// <summary>Allowed tokens of more than some bytes, longest first, and perhaps further ones: some may not be allowed after all.</summary>
    public List<int> Longer(int length, GrammarVocabulary vocabulary)
    {
        if (Mask.IsShort)
        {
            if (length >= reached) return longest;
            reached = length;
            longest.Clear();
            foreach (var token in Mask.Added)
                if (vocabulary.Bytes(token).Length > length) longest.Add(token);
            longest.Sort((one, other) => vocabulary.Bytes(other).Length.CompareTo(vocabulary.Bytes(one).Length));
            return longest;
        }
        for (; next < vocabulary.LongTokens.Length && vocabulary.Bytes(vocabulary.LongTokens[next]).Length > length; next++)
            if (Mask.Contains(vocabulary.LongTokens[next])) longest.Add(vocabulary.LongTokens[next]);
        return longest;
    }
}
