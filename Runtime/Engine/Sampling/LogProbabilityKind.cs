namespace Quilt.Runtime.Sampling;

/// <summary>
/// What comes as a token's log probability: of the model's own distribution, or of the one that the token was drawn from (vLLM's
/// <c>--logprobs-mode</c>).
/// </summary>
public enum LogProbabilityKind
{
    /// <summary>Log probabilities under the model's own distribution, before any option.</summary>
    Raw,

    /// <summary>The model's logits as they are.</summary>
    RawLogits,

    /// <summary>
    /// Log probabilities under the distribution that the token was drawn from, behind all options; what is out of the draw has none. At temperature 0
    /// nothing is drawn: the distribution is then the one behind bias and penalties, whose most likely token was taken.
    /// </summary>
    Processed,

    /// <summary>The logits of that distribution, the temperature applied.</summary>
    ProcessedLogits,
}
