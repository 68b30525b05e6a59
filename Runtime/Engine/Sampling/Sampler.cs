using System.Numerics.Tensors;

namespace Quilt.Runtime.Sampling;

/// <summary>
/// Logits and options to a token: penalties, then the most likely one, or a draw from those that truncation leaves (docs/api.md, "Choosing a token").
/// One thread.
/// </summary>
internal sealed partial class Sampler
{
    private readonly Truncation truncation = new();
    private readonly AllowedFew few = new();
    private readonly ProbabilityReport report = new();

    /// <summary>Chooses a token and takes note of it.</summary>
    /// <param name="logits">[vocabulary]; changed.</param>
    /// <param name="state">What the request wants and has seen.</param>
    /// <param name="output">Tokens chosen so far.</param>
    /// <exception cref="ArithmeticException">A logit that could matter is NaN or ∞.</exception>
    /// <exception cref="InvalidOperationException">The options leave no token.</exception>
    public TokenChoice Sample(Span<float> logits, SamplerState state, ReadOnlySpan<int> output)
    {
        var options = state.Options;
        if (options.WantsProbabilities && !options.WantsProcessed) report.Keep(logits);
        var token = state.Thinking.Forced;
        if (token < 0 || options.WantsProcessed) token = Choose(logits, state, output);
        state.Accept(token);
        return options.WantsProbabilities ? report.Of(token, logits.Length, options) : new(token, float.NaN, []);
    }

    private int Choose(Span<float> logits, SamplerState state, ReadOnlySpan<int> output)
    {
        var options = state.Options;
        if (!options.WantsProcessed && few.TryFind(state, logits.Length)) return ChooseOfFew(logits, state, output);
        Penalties.Apply(logits, state, output);
        if (options.IsGreedy)
        {
            var best = LargestLogit.Find(logits);
            if (options.WantsProcessed) report.Keep(logits);
            return Forced(state, best);
        }
        truncation.Run(logits, options);
        if (truncation.Ids.IsEmpty) BadLogits.ThrowNone();
        if (options.WantsProcessed) report.Keep(logits, truncation, Truncation.Scale(options));
        return Forced(state, -1) is >= 0 and var forced ? forced : Draw(state);
    }

    private int ChooseOfFew(Span<float> logits, SamplerState state, ReadOnlySpan<int> output)
    {
        Penalties.ApplyToAllowed(logits, state, output);
        var count = few.Ids.Length;
        Reserve(count);
        few.Ids.CopyTo(ids);
        for (var i = 0; i < count; i++) values[i] = logits[ids[i]];
        if (count == 0) BadLogits.ThrowNone();
        var best = TensorPrimitives.IndexOfMax<float>(values.AsSpan(0, count));
        BadLogits.Check(values[best], ids[best]);
        if (state.Options.IsGreedy) return ids[best];
        var none = new Unknown(float.NegativeInfinity, float.NegativeInfinity, 0, count);
        truncation.TryRun(ids.AsSpan(0, count), values.AsSpan(0, count), none, state.Options, logits.Length);
        return Draw(state);
    }

    private static int Forced(SamplerState state, int otherwise) => state.Thinking.Forced is >= 0 and var forced ? forced : otherwise;

    // p / Exp(1) is largest for token i with probability p_i: a draw without sums, so no rounding decides.
    private int Draw(SamplerState state)
    {
        var (best, token) = (0.0, -1);
        var left = truncation.Ids;
        var weights = truncation.Weights;
        for (var i = 0; i < left.Length; i++)
        {
            var uniform = state.NextUniform();
            // −log u is at least 1 − u: most are beaten before the logarithm is taken. The factor is for what rounding may do to either.
            if (weights[i] * (1 + 1e-9) < best * (1 - uniform)) continue;
            var score = weights[i] / -Math.Log(uniform);
            if (score > best) (best, token) = (score, left[i]);
        }
        return token;
    }
}
