namespace Quilt.Runtime.Sampling;

/// <summary>From the rows of logits after the tokens of a prompt to how likely each next token was. One thread.</summary>
/// <param name="prompt">The prompt.</param>
/// <param name="top">How many of the most likely tokens come with each.</param>
internal sealed class PromptScorer(IReadOnlyList<int> prompt, int top)
{
    private readonly List<PromptScore> scores = [new(prompt[0], float.NaN, [])];
    private readonly SamplingOptions options = new() { LogProbabilities = true, TopLogProbabilities = top };
    private readonly ProbabilityReport report = new();

    /// <summary>What is known: one for each token of the prompt once it is complete.</summary>
    public IReadOnlyList<PromptScore> Scores => scores;

    /// <summary>Whether every token of the prompt has its score.</summary>
    public bool IsComplete => scores.Count == prompt.Count;

    /// <summary>
    /// Takes the row after the token at a position; one that was taken before, or the last, counts for nothing. True once complete.
    /// </summary>
    /// <exception cref="ArithmeticException">The logits are damaged.</exception>
    public bool Take(int position, ReadOnlySpan<float> logits)
    {
        if (position + 1 != scores.Count || IsComplete) return IsComplete;
        report.Keep(logits);
        var score = report.Of(prompt[position + 1], logits.Length, options);
        scores.Add(new(score.Token, score.LogProbability, score.Top));
        return IsComplete;
    }
}
