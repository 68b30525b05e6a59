namespace Quilt.Formats.Grammars.Masks;

/// <summary>The tokens of a shortened state, and where those of the states that it stands for may differ.</summary>
/// <param name="Mask">Tokens that are allowed.</param>
/// <param name="Open">Nodes below which more may be allowed.</param>
/// <param name="Rests">Where white space may come first: how many of the mask's tokens are not it alone; they are listed first. -1 otherwise.</param>
internal sealed record SharedMask(TokenMask Mask, OpenNode[] Open, int Rests)
{
    private readonly List<int> longest = [];
    private int next;

    /// <summary>The tokens where only so much white space may come first.</summary>
    public TokenMask UpTo(int most, TokenSlice space)
    {
        var alone = space.Inside(most);
        var few = new List<int>(Rests + alone.Length);
        foreach (var token in Mask.Added[..Rests])
            if (space.Characters(token) <= most) few.Add(token);
        few.AddRange(alone);
        return new TokenMask(null, [.. few], [], few.Count);
    }

    /// <summary>Allowed tokens of more than some bytes, longest first, and perhaps further ones: some may not be allowed after all.</summary>
    public List<int> Longer(int length, GrammarVocabulary vocabulary)
    {
        if (Mask.IsShort)
        {
            if (next == 0)
            {
                foreach (var token in Mask.Added)
                    if (vocabulary.Bytes(token).Length > GrammarVocabulary.LongLength) longest.Add(token);
                longest.Sort((one, other) => vocabulary.Bytes(other).Length.CompareTo(vocabulary.Bytes(one).Length));
                next = 1;
            }
            return longest;
        }
        for (; next < vocabulary.LongTokens.Length && vocabulary.Bytes(vocabulary.LongTokens[next]).Length > length; next++)
            if (Mask.Contains(vocabulary.LongTokens[next])) longest.Add(vocabulary.LongTokens[next]);
        return longest;
    }
}
