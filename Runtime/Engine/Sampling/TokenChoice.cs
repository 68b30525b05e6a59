namespace Quilt.Runtime.Sampling;

/// <summary>A token and how likely it was.</summary>
/// <param name="Id">Its id.</param>
/// <param name="LogProbability">
/// Natural logarithm of its probability, or its logit, as <see cref="SamplingOptions.LogProbabilityKind"/> says; −∞ where it cannot come.
/// </param>
public readonly record struct TokenProbability(int Id, float LogProbability);

/// <summary>The next token of a sequence.</summary>
/// <param name="Token">Its id.</param>
/// <param name="LogProbability">As of <see cref="TokenProbability"/>; NaN where not asked for.</param>
/// <param name="Top">The most likely tokens, most likely first; empty where not asked for.</param>
internal readonly record struct TokenChoice(int Token, float LogProbability, IReadOnlyList<TokenProbability> Top)
{
    /// <summary>Those of <see cref="SamplingOptions.LogProbabilityTokens"/>, in their order; null where there are none.</summary>
    public IReadOnlyList<TokenProbability>? Asked { get; init; }
}
