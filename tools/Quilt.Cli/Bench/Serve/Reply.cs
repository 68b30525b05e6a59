namespace Quilt.Cli.Bench.Serve;

/// <summary>How a request went; times in seconds.</summary>
/// <param name="Failure">Why it failed; null: it did not.</param>
/// <param name="EndedAt">When it ended, on Stopwatch's clock.</param>
internal sealed record Reply(string? Failure, long EndedAt)
{
    /// <summary>From its intended start to the first chunk with tokens; NaN where none came.</summary>
    public double FirstToken { get; init; } = double.NaN;

    /// <summary>From its intended start to the end of the stream.</summary>
    public double Whole { get; init; }

    /// <summary>Between tokens.</summary>
    public IReadOnlyList<double> Gaps { get; init; } = [];

    /// <summary>Tokens of the prompt by the server's count; null: it does not tell.</summary>
    public int? PromptTokens { get; init; }

    /// <summary>Tokens of the reply by the server's count, else chunks that carried some.</summary>
    public int OutputTokens { get; init; }

    /// <summary>The text, or the thinking where there is no text; null where nobody asked for it.</summary>
    public string? Text { get; init; }

    /// <summary>The answer's status where it was no success.</summary>
    public int? Status { get; init; }
}
