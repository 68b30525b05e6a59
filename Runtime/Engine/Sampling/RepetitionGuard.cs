namespace Quilt.Runtime.Sampling;

/// <summary>
/// Ends an output that runs in circles: one whose last tokens are the same pattern several times over, token by token (vLLM's
/// <c>repetition_detection</c>).
/// </summary>
public sealed record RepetitionGuard
{
    /// <summary>Largest pattern in tokens that is looked for. 1 to 1024.</summary>
    public int MaxPatternSize { get; init; } = 64;

    /// <summary>Smallest pattern in tokens that is looked for. 1 to <see cref="MaxPatternSize"/>.</summary>
    public int MinPatternSize { get; init; } = 1;

    /// <summary>How many times the pattern has to stand in a row. At least 2.</summary>
    public int MinCount { get; init; } = 3;
}
