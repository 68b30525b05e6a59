using System.Diagnostics;

namespace Quilt.Runtime;

/// <summary>Counts and times of one request.</summary>
public sealed class GenerationStats
{
    private readonly long submitted = Stopwatch.GetTimestamp();
    private long firstToken;
    private long ended;

    /// <summary>Tokens of the prompt.</summary>
    public int PromptTokens { get; internal init; }

    /// <summary>Tokens generated, an end token included.</summary>
    public int GeneratedTokens { get; private set; }

    /// <summary>From submission to the first token: waiting and reading the prompt.</summary>
    public TimeSpan PromptTime => firstToken == 0 ? TimeSpan.Zero : Stopwatch.GetElapsedTime(submitted, firstToken);

    /// <summary>From the first token to the last.</summary>
    public TimeSpan GenerationTime => firstToken == 0 || ended == 0 ? TimeSpan.Zero : Stopwatch.GetElapsedTime(firstToken, ended);

    /// <summary>Prompt tokens a second; 0 where nothing was generated.</summary>
    public double PromptTokensPerSecond => PromptTime > TimeSpan.Zero ? PromptTokens / PromptTime.TotalSeconds : 0;

    /// <summary>Tokens a second after the first; 0 where there was only one.</summary>
    public double GeneratedTokensPerSecond =>
        GeneratedTokens > 1 && GenerationTime > TimeSpan.Zero ? (GeneratedTokens - 1) / GenerationTime.TotalSeconds : 0;

    internal void Token()
    {
        if (GeneratedTokens++ == 0) firstToken = Stopwatch.GetTimestamp();
    }

    internal void Ended() => ended = Stopwatch.GetTimestamp();
}
