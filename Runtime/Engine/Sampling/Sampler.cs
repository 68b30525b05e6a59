using System.Numerics.Tensors;

namespace Quilt.Runtime.Sampling;

/// <summary>
/// Logits and options to a token: penalties, then the most likely one, or a draw from those that truncation leaves (docs/api.md, "Choosing a token").
/// One thread.
/// </summary>
internal sealed partial class Sampler
{
    private readonly Truncation truncation = new();

    /// <summary>Chooses a token and takes note of it.</summary>
    /// <param name="logits">[vocabulary]; changed.</param>
    /// <param name="state">What the request wants and has seen.</param>
    /// <param name="output">Tokens chosen so far.</param>
    public TokenChoice Sample(Span<float> logits, SamplerState state, ReadOnlySpan<int> output)
    {
        var options = state.Options;
        var logSum = options.WantsProbabilities ? LogSumExp(logits) : double.NaN;
        var plain = options.WantsProbabilities ? Snapshot(logits) : default;
        Penalties.Apply(logits, state, output);
        var token = -1;
        if (!options.IsGreedy)
        {
            truncation.Run(logits, options);
            token = Draw(state);
        }
        if (token < 0) token = ArgMax(logits);
        state.Accept(token);
        return options.WantsProbabilities
            ? new(token, (float)(plain[token] - logSum), largest.Of(plain, logSum, options.TopLogProbabilities))
            : new(token, float.NaN, []);
    }

    private readonly LargestLogits largest = new();
    private float[] snapshot = [];

    private ReadOnlySpan<float> Snapshot(ReadOnlySpan<float> logits)
    {
        if (snapshot.Length < logits.Length) snapshot = new float[logits.Length];
        logits.CopyTo(snapshot);
        return snapshot.AsSpan(0, logits.Length);
    }

    // p / Exp(1) is largest for token i with probability p_i: a draw without sums, so no rounding decides. −1 where there is no number among them.
    private int Draw(SamplerState state)
    {
        var (best, token) = (double.NegativeInfinity, -1);
        var left = truncation.Ids;
        var weights = truncation.Weights;
        for (var i = 0; i < left.Length; i++)
        {
            var score = weights[i] / state.NextExponential();
            if (score > best) (best, token) = (score, left[i]);
        }
        return token;
    }

    private static int ArgMax(ReadOnlySpan<float> logits) => TensorPrimitives.IndexOfMax(logits);

    private static double LogSumExp(ReadOnlySpan<float> logits)
    {
        var largest = TensorPrimitives.Max(logits);
        var sum = 0.0;
        foreach (var logit in logits) sum += Math.Exp(logit - largest);
        return largest + Math.Log(sum);
    }
}
