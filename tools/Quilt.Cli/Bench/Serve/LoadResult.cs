namespace Quilt.Cli.Bench.Serve;

/// <summary>What the load came to. Times are those of requests that did not fail.</summary>
/// <param name="Requests">Requests sent.</param>
/// <param name="Reasons">Why some failed, and how often each; the most frequent first.</param>
/// <param name="Seconds">From the start to the end of the last request.</param>
/// <param name="PromptTokens">Of all prompts that were answered.</param>
/// <param name="OutputTokens">Of all replies.</param>
/// <param name="FirstToken">Time to the first token.</param>
/// <param name="BetweenTokens">Times between tokens.</param>
/// <param name="Whole">Time to the end of the reply.</param>
internal sealed record LoadResult(int Requests, IReadOnlyList<(string Reason, int Count)> Reasons, double Seconds, long PromptTokens,
    long OutputTokens, Distribution FirstToken, Distribution BetweenTokens, Distribution Whole)
{
    /// <summary>Requests that failed.</summary>
    public int Failures => Reasons.Sum(reason => reason.Count);

    /// <summary>Tokens a second that were read.</summary>
    public double PromptTokensPerSecond => Seconds > 0 ? PromptTokens / Seconds : 0;

    /// <summary>Tokens a second that were written.</summary>
    public double OutputTokensPerSecond => Seconds > 0 ? OutputTokens / Seconds : 0;

    /// <summary>Sums up.</summary>
    /// <param name="replies">All of them.</param>
    /// <param name="seconds">How long it took.</param>
    /// <param name="promptTokens">Tokens of a prompt where the server does not tell.</param>
    public static LoadResult Of(IReadOnlyList<Reply> replies, double seconds, int promptTokens)
    {
        Reply[] good = [.. replies.Where(reply => reply.Failure is null)];
        return new(replies.Count,
            [.. replies.Where(reply => reply.Failure is not null).GroupBy(reply => reply.Failure!, StringComparer.Ordinal)
                .Select(group => (group.Key, group.Count())).OrderByDescending(reason => reason.Item2)],
            seconds, good.Sum(reply => (long)(reply.PromptTokens ?? promptTokens)), good.Sum(reply => (long)reply.OutputTokens),
            Distribution.Of([.. good.Select(reply => reply.FirstToken).Where(double.IsFinite)]),
            Distribution.Of([.. good.SelectMany(reply => reply.Gaps)]),
            Distribution.Of([.. good.Select(reply => reply.Whole)]));
    }
}
