namespace Quilt.Formats.Grammars.Masks;

/// <summary>The tokens of a shortened state, and where those of the states that it stands for may differ.</summary>
/// <param name="Mask">Tokens that are allowed.</param>
/// <param name="Open">Nodes below which more may be allowed.</param>
internal sealed record SharedMask(TokenMask Mask, OpenNode[] Open)
{
    private int[]? allowedLong;

    /// <summary>Allowed tokens of more than a few bytes, longest first: some may not be allowed after all.</summary>
    public int[] Long(GrammarVocabulary vocabulary)
    {
        if (allowedLong is not null) return allowedLong;
        if (Mask.IsShort)
        {
            var few = new List<int>();
            foreach (var token in Mask.Added)
                if (vocabulary.Bytes(token).Length > GrammarVocabulary.LongLength) few.Add(token);
            few.Sort((one, other) => vocabulary.Bytes(other).Length.CompareTo(vocabulary.Bytes(one).Length));
            return allowedLong = [.. few];
        }
        var bits = new uint[vocabulary.MaskWords];
        Mask.Fill(bits);
        return allowedLong = [.. vocabulary.LongTokens.Where(token => (bits[token >> 5] >> token & 1) != 0)];
    }
}
