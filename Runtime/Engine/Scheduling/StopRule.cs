using Quilt.Runtime.Sampling;

namespace Quilt.Runtime.Scheduling;

/// <summary>Decides after each token whether a request is over, by token ids and counts (docs/api.md, "What ends it").</summary>
/// <param name="options">The request's options.</param>
/// <param name="endTokens">The model's end tokens.</param>
/// <param name="room">Tokens the sequence may still grow by.</param>
internal sealed class StopRule(SamplingOptions options, IReadOnlyCollection<int> endTokens, int room)
{
    private readonly int most = Math.Min(options.MaxTokens ?? int.MaxValue, room);
    private readonly RepetitionDetector? repetition = options.RepetitionGuard is { } guard ? new(guard) : null;
    private int tokens;

    /// <summary>The stop token that ended the request; null if the model's own end token did, or something else.</summary>
    public int? StopToken { get; private set; }

    /// <summary>True while nothing may end the output but its length.</summary>
    public bool BelowLeast => tokens < options.MinTokens;

    /// <summary>Takes a token; null if the request goes on.</summary>
    public FinishReason? Accept(int token)
    {
        tokens++;
        var repeats = repetition?.Accept(token) ?? false;
        if (!BelowLeast)
        {
            if (!options.IgnoreEos && endTokens.Contains(token)) return FinishReason.Stop;
            if (options.StopTokens.Contains(token))
            {
                StopToken = token;
                return FinishReason.Stop;
            }
        }
        if (tokens >= most) return FinishReason.Length;
        return repeats && !BelowLeast ? FinishReason.Repetition : null;
    }

    /// <summary>Takes the tokens of one step until one ends the request; returns how many count.</summary>
    public int Accept(ReadOnlySpan<int> step, out FinishReason? finished)
    {
        finished = null;
        for (var i = 0; i < step.Length; i++)
        {
            if ((finished = Accept(step[i])) is not null) return i + 1;
        }
        return step.Length;
    }
}
