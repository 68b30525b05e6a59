using Quilt.Kernels.Ops;

namespace Quilt.Quantizer.Awq.Refined;

/// <summary>
/// The tokens that an expert is judged by: its own, each counting as the square of its gate, and where these are few some of the others, which count
/// little, so that no expert is fitted to nothing.
/// </summary>
/// <param name="Tokens">Rows of the layer's input.</param>
/// <param name="Weights">What the squared error of each counts.</param>
/// <param name="Routed">Tokens that the router sends to the expert, those that were left out included.</param>
internal sealed record ExpertSample(int[] Tokens, float[] Weights, int Routed)
{
    // A token that the router would not send counts as one that it would send with a tenth of an even share.
    private const float OtherShare = 0.1f;

    /// <summary>The sample of one expert, the same whenever it is taken.</summary>
    /// <param name="plan">Who goes where.</param>
    /// <param name="expert">Which expert.</param>
    /// <param name="most">Tokens, at most, of its own.</param>
    /// <param name="least">Tokens, at least, with others.</param>
    public static ExpertSample Of(ExpertPlan plan, int expert, int most, int least)
    {
        var (first, routed) = (plan.Offsets[expert], plan.Offsets[expert + 1] - plan.Offsets[expert]);
        var (own, others) = (Math.Min(routed, most), Math.Clamp(least - routed, 0, plan.Tokens));
        var (tokens, weights) = (new List<int>(own + others), new List<float>(own + others));
        for (var i = 0; i < own; i++)
        {
            var token = plan.PairToken[first + (int)((long)i * routed / own)];
            var gate = plan.GateOf(token, expert);
            tokens.Add(token);
            weights.Add(gate * gate * routed / own);
        }
        var little = OtherShare / plan.PerToken;
        for (var i = 0; i < others; i++)
        {
            tokens.Add((int)((long)i * plan.Tokens / others));
            weights.Add(little * little);
        }
        return new([.. tokens], [.. weights], routed);
    }
}
