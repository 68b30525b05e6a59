using Quilt.Runtime.Sampling;

namespace Quilt.Runtime;

/// <summary>One generated token.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Text">
/// The text that is certain now: whole characters only, nothing for a token in the middle of one. In a conversation it is the text as the model
/// writes it, markers of thinking and calls included; in a continuation it ends before a stop text.
/// </param>
/// <param name="LogProbability">
/// Natural logarithm of its probability under the model's own distribution, before any sampling option; NaN where not asked for.
/// </param>
/// <param name="Top">The most likely tokens, most likely first, as <see cref="SamplingOptions.TopLogProbabilities"/> asks.</param>
public readonly record struct TokenPiece(int Id, string Text, float LogProbability, IReadOnlyList<TokenProbability> Top);
