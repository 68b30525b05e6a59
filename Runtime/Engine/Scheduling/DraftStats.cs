namespace Quilt.Runtime.Scheduling;

/// <summary>
/// Counts how often drafted tokens turned out to be those that the model chose (vLLM's <c>spec_decode_num_drafts</c>, <c>_draft_tokens</c>,
/// <c>_accepted_tokens</c> and <c>_accepted_tokens_per_pos</c>). One thread.
/// </summary>
/// <param name="mostTokens">Tokens of the longest draft.</param>
internal sealed class DraftStats(int mostTokens)
{
    private readonly long[] acceptedAt = new long[mostTokens];

    /// <summary>Drafts of at least one token.</summary>
    public long Drafts { get; private set; }

    /// <summary>Tokens drafted.</summary>
    public long DraftTokens { get; private set; }

    /// <summary>Drafted tokens that were accepted.</summary>
    public long AcceptedTokens { get; private set; }

    /// <summary>[most tokens] accepted tokens by their place in the draft.</summary>
    public ReadOnlySpan<long> AcceptedAt => acceptedAt;

    /// <summary>Takes note of a draft and of what the model made of it.</summary>
    /// <param name="draft">The tokens that were drafted.</param>
    /// <param name="output">The tokens that the step gave: those of the draft that were accepted, and the model's own behind them.</param>
    /// <exception cref="ArgumentException">
    /// The draft is longer than may be, or the step gives no token or more than one beside those that were drafted.
    /// </exception>
    public void Add(ReadOnlySpan<int> draft, ReadOnlySpan<int> output)
    {
        if (draft.Length > acceptedAt.Length)
            throw new ArgumentException($"draft: expected at most {acceptedAt.Length} tokens, found {draft.Length}.");
        if (output.Length < 1 || output.Length > draft.Length + 1)
            throw new ArgumentException($"output: expected 1 to {draft.Length + 1} tokens, found {output.Length}.");
        if (draft.IsEmpty) return;
        Drafts++;
        DraftTokens += draft.Length;
        var accepted = draft.CommonPrefixLength(output[..^1]);
        AcceptedTokens += accepted;
        for (var i = 0; i < accepted; i++) acceptedAt[i]++;
    }
}
