using Quilt.Runtime.Sampling;

namespace Quilt.Runtime;

/// <summary>One generated token.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Text">
/// The text that is certain now: whole characters only, nothing for a token in the middle of one. In a conversation it is the text as the model
/// writes it, markers of thinking and calls included; in a continuation it ends before a stop text.
/// </param>
/// <param name="LogProbability">
/// Natural logarithm of its probability, of the kind that <see cref="SamplingOptions.LogProbabilityKind"/> says; NaN where not asked for.
/// </param>
/// <param name="Top">The most likely tokens, most likely first, as <see cref="SamplingOptions.TopLogProbabilities"/> asks.</param>
public readonly record struct TokenPiece(int Id, string Text, float LogProbability, IReadOnlyList<TokenProbability> Top)
{
    /// <summary>The tokens of <see cref="SamplingOptions.LogProbabilityTokens"/>, in their order; empty where none are named.</summary>
    public IReadOnlyList<TokenProbability> LogProbabilityTokens { get => field ?? []; init; }
}
