namespace Quilt.Quantizer.Verifying.Forward;

/// <summary>How far two routers choose alike.</summary>
/// <param name="Overlap">Share of experts that both chose.</param>
/// <param name="SameSet">Share of tokens for which both chose the same experts.</param>
internal readonly record struct RouterAgreement(double Overlap, double SameSet)
{
    /// <summary>Compares choices of <paramref name="perToken"/> experts a token, over all tokens of all sequences.</summary>
    public static RouterAgreement Of(IEnumerable<(int[] Wanted, int[] Found)> sequences, int perToken)
    {
        long tokens = 0, common = 0, same = 0;
        foreach (var (wanted, found) in sequences)
        {
            for (var at = 0; at < wanted.Length; at += perToken, tokens++)
            {
                var shared = wanted.AsSpan(at, perToken).ToArray().Intersect(found.AsSpan(at, perToken).ToArray()).Count();
                common += shared;
                if (shared == perToken) same++;
            }
        }
        return new RouterAgreement((double)common / (tokens * perToken), (double)same / tokens);
    }
}
