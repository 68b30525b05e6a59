using Quilt.Runtime.Sampling;

namespace Quilt.Runtime.Scheduling;

/// <summary>What was asked for, as the engine's thread needs it: checked, copied, nobody else's.</summary>
internal sealed record RequestTerms
{
    /// <summary>How tokens are chosen and when to stop.</summary>
    public required SamplingOptions Sampling { get; init; }

    /// <summary>The model's end tokens.</summary>
    public required IReadOnlyCollection<int> EndTokens { get; init; }

    /// <summary>Tokens the sequence may still grow by.</summary>
    public required int Room { get; init; }

    /// <summary>What makes text of tokens.</summary>
    public required ReplyDecoder Reply { get; init; }

    /// <summary>What the reply is held to; null: nothing.</summary>
    public ReplyGrammar? Grammar { get; init; }

    /// <inheritdoc cref="Sequence.Priority"/>
    public int Priority { get; init; }

    /// <inheritdoc cref="Sequence.CacheKeys"/>
    public string[] CacheKeys { get; init; } = [];

    /// <summary>How many of the most likely tokens come with each token of the prompt; null: it is not scored.</summary>
    public int? PromptTop { get; init; }

    /// <summary>The text of the prompt where it comes first in the reply's.</summary>
    public string? Echo { get; init; }

    /// <inheritdoc cref="GenerationRequest.Begun"/>
    public BegunReply? Begun { get; init; }

    /// <inheritdoc cref="GenerationRequest.TellsRandom"/>
    public bool TellsRandom { get; init; }

    /// <summary>How long it may take; null: no bound.</summary>
    public TimeSpan? Deadline { get; init; }

    /// <summary>How long it may wait before it begins; null: no bound.</summary>
    public TimeSpan? MaxWaitingTime { get; init; }
}
