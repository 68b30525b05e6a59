namespace Quilt.Runtime.Scheduling;

/// <summary>The bounds within which a <see cref="Scheduler"/> plans.</summary>
internal sealed record SchedulerOptions
{
    /// <summary>Most tokens in a step.</summary>
    public required int MaxBatchedTokens { get; init; }

    /// <summary>Most sequences that hold blocks.</summary>
    public required int MaxSequences { get; init; }

    /// <summary>Most rows of logits in a step; only prompts whose every row is wanted come near it.</summary>
    public int MaxLogitRows { get; init; } = int.MaxValue;

    /// <summary>Most sequences whose prompt is read in parts at the same time.</summary>
    public int MaxPartialPrompts { get; init; } = int.MaxValue;

    /// <summary>Most of them that are long.</summary>
    public int MaxLongPartialPrompts { get; init; } = int.MaxValue;

    /// <summary>
    /// A prompt is long while more tokens than this are missing, and gets no more in a step. 0: half of <see cref="MaxBatchedTokens"/>, and it gets
    /// more where nobody else wants any.
    /// </summary>
    public int LongPromptTokens { get; init; }

    /// <summary>Whether <see cref="Sequence.Priority"/> counts; else who came first comes first.</summary>
    public bool ByPriority { get; init; }

    /// <summary>
    /// So many later arrivals outweigh one level of priority: a sequence is overtaken by more urgent ones for so long, and nobody waits for ever.
    /// </summary>
    public int PriorityAging { get; init; } = 256;

    /// <summary>Blocks that a newcomer must leave free while others run, which will need some.</summary>
    public int WatermarkBlocks { get; init; }

    /// <summary>Whether blocks are published and found again.</summary>
    public bool PrefixCaching { get; init; }
}
