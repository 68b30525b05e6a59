using Quilt.Runtime.Sampling;

namespace Quilt.Runtime;

/// <summary>How likely a token of a prompt was where it stands.</summary>
/// <param name="Id">The token.</param>
/// <param name="LogProbability">Natural logarithm of its probability under the model's own distribution; NaN for the first.</param>
/// <param name="Top">The most likely tokens at its place, most likely first, as many as were asked for.</param>
public readonly record struct PromptScore(int Id, float LogProbability, IReadOnlyList<TokenProbability> Top);
