using Quilt.Kernels.Ops;
using Quilt.Quantizer.Quality;

namespace Quilt.Quantizer.Awq;

/// <summary>How far two routers choose the same.</summary>
internal static class RouterAgreement
{
    /// <summary>
    /// The share of a token's experts that both choose, and the share of tokens for which they choose the same ones; over the tokens of
    /// <paramref name="found"/>, which are the first of <paramref name="wanted"/>.
    /// </summary>
    public static Agreement Of(ExpertPlan wanted, ExpertPlan found)
    {
        var (common, same) = (0L, 0L);
        for (var t = 0; t < found.Tokens; t++)
        {
            var a = wanted.Ids.AsSpan(t * wanted.PerToken, wanted.PerToken);
            var b = found.Ids.AsSpan(t * wanted.PerToken, wanted.PerToken);
            var both = 0;
            foreach (var id in a) both += b.Contains(id) ? 1 : 0;
            common += both;
            same += both == a.Length ? 1 : 0;
        }
        return found.Tokens == 0 ? new(1, 1) : new((double)common / found.Pairs, (double)same / found.Tokens);
    }
}
