using Quilt.Kernels.Ops;

namespace Quilt.Runtime.Sampling;

/// <summary>
/// What came back of a row of logits: those that options change, taken out of the row, and of what was left the largest (<see cref="TopKOp"/>).
/// </summary>
internal readonly ref struct Candidates
{
    /// <summary>Logits of the row.</summary>
    public required int Vocabulary { get; init; }

    /// <summary>[taken] ids that were taken out, each plus <see cref="TakenBase"/>.</summary>
    public required ReadOnlySpan<int> Taken { get; init; }

    /// <summary>Where the row begins among all logits of the step.</summary>
    public required int TakenBase { get; init; }

    /// <summary>[taken] their logits.</summary>
    public required ReadOnlySpan<float> TakenLogits { get; init; }

    /// <summary>[k] the largest of the others, largest first, of equals the lower id.</summary>
    public required ReadOnlySpan<float> Logits { get; init; }

    /// <summary>[k] their ids.</summary>
    public required ReadOnlySpan<float> Ids { get; init; }

    /// <summary>Σ e^(logit − largest) of the others.</summary>
    public required float Sum { get; init; }

    /// <summary>Σ e^((logit − largest) · scale) of the others, where <see cref="RowDemand.Scale"/> asked for it.</summary>
    public required float ScaledSum { get; init; }

    /// <summary>Whether every token that may come was taken out.</summary>
    public required bool HoldsFew { get; init; }

    /// <summary>No logit that is not here is larger.</summary>
    public float Reach => Logits.Length < Vocabulary ? Logits[^1] : float.NegativeInfinity;

    /// <summary>Log of the sum of all exponentials; NaN where the largest logit is not finite.</summary>
    public double LogSum()
    {
        var largest = Logits[0];
        foreach (var logit in TakenLogits) largest = MathF.Max(largest, logit);
        if (!float.IsFinite(largest)) return double.NaN;
        // The largest is part of the sum.
        var sum = float.IsNegativeInfinity(Logits[0]) ? 0 : Math.Max(1, Sum) * Math.Exp(Logits[0] - largest);
        foreach (var logit in TakenLogits) sum += Math.Exp(logit - largest);
        return largest + Math.Log(sum);
    }

    /// <summary>The logit that a token of these came with.</summary>
    public float Of(int token)
    {
        var taken = Taken.IndexOf(token + TakenBase);
        return taken >= 0 ? TakenLogits[taken] : Logits[Ids.IndexOf(token)];
    }
}

/// <summary>What of a row of logits must come back for a request to be able to choose.</summary>
/// <param name="K">How many of the largest; 0: the whole row.</param>
/// <param name="Scale">What the second sum is scaled by; 0: none is needed.</param>
internal readonly record struct RowDemand(int K, float Scale)
{
    /// <summary>What a request demands.</summary>
    /// <param name="state">The request.</param>
    /// <param name="takesAll">Whether all tokens that may come are taken out of the row, and nothing else may come.</param>
    /// <param name="vocabulary">Logits of the row.</param>
    public static RowDemand Of(SamplerState state, bool takesAll, int vocabulary)
    {
        var options = state.Options;
        if (options.WantsProcessed || options.TopLogProbabilities is < 0 or > TopKOp.MostK) return default;
        if (state.Allowed is not null && !takesAll) return default;
        var demand = takesAll ? new(1, 0) : ToChoose(options, vocabulary, masked: !state.Mask.IsEmpty);
        return demand.K == 0 ? demand : demand with { K = Math.Max(demand.K, Math.Min(options.TopLogProbabilities, vocabulary)) };
    }

    private static RowDemand ToChoose(SamplingOptions options, int vocabulary, bool masked)
    {
        var most = Math.Min(TopKOp.MostK, vocabulary);
        if (options.IsGreedy) return new(masked ? Math.Min(Masked, most) : 1, 0);

        // One more than are to stay tells whether the last of them has equals that were left out.
        var cuts = options.TopK > 0 && options.TopK < vocabulary;
        if (cuts && options.TopK < most) return new(masked ? most : options.TopK + 1, 0);
        if (most == vocabulary || options.MinP > 0) return new(most, 0);
        return cuts || masked || options.TopP == 1 ? default : new(most, options.Temperature == 1 ? 0 : (float)Truncation.Scale(options));
    }

    // Of so many largest tokens one will mostly be among those that a grammar lets through.
    private const int Masked = 32;
}
