using System.Diagnostics;

namespace Quilt.Runtime;

/// <summary>Counts and times of one request; complete once it has ended.</summary>
public sealed class GenerationStats
{
    private readonly long submitted = Stopwatch.GetTimestamp();
    private long started;
    private long firstToken;
    private long lastToken;
    private long longestGap;
    private long ended;

    /// <summary>Tokens of the prompt.</summary>
    public int PromptTokens { get; internal init; }

    /// <summary>Tokens of the prompt that were found in the prefix cache.</summary>
    public int CachedTokens { get; private set; }

    /// <summary>Of these, tokens that were brought from the tiers behind the cache.</summary>
    public TierTokens FromTiers { get; private set; }

    /// <summary>Tokens generated, an end token included.</summary>
    public int GeneratedTokens { get; private set; }

    /// <summary>Of these, tokens of thinking: up to the marker that ends it, the marker included.</summary>
    public int ThinkingTokens { get; private set; }

    /// <summary>Times it had to give up its place and was computed again.</summary>
    public int Preemptions { get; private set; }

    /// <summary>From submission to the first step that it was part of; zero where there was none.</summary>
    public TimeSpan QueueTime => Between(submitted, started);

    /// <summary>From submission to the first token: waiting and reading the prompt.</summary>
    public TimeSpan PromptTime => Between(submitted, firstToken);

    /// <summary>From the first token to the last.</summary>
    public TimeSpan GenerationTime => ended == 0 ? TimeSpan.Zero : Between(firstToken, lastToken);

    /// <summary>From submission to the end.</summary>
    public TimeSpan TotalTime => Between(submitted, ended);

    /// <summary>Mean time between two tokens; zero where there was one at most.</summary>
    public TimeSpan TokenTime => GeneratedTokens > 1 ? Between(firstToken, lastToken) / (GeneratedTokens - 1) : TimeSpan.Zero;

    /// <summary>The longest time between two tokens.</summary>
    public TimeSpan LongestTokenTime => Stopwatch.GetElapsedTime(0, longestGap);

    /// <summary>Prompt tokens a second, counted from the request's first step; 0 where nothing was generated.</summary>
    public double PromptTokensPerSecond => Between(started, firstToken) is var time && time > TimeSpan.Zero ? PromptTokens / time.TotalSeconds : 0;

    /// <summary>Tokens a second after the first; 0 where there was only one.</summary>
    public double GeneratedTokensPerSecond =>
        GeneratedTokens > 1 && GenerationTime > TimeSpan.Zero ? (GeneratedTokens - 1) / GenerationTime.TotalSeconds : 0;

    internal bool HasStarted => started != 0;

    internal void Started(int cached, TierTokens fromTiers)
    {
        if (started != 0)
        {
            Preemptions++;
            return;
        }
        (started, CachedTokens, FromTiers) = (Stopwatch.GetTimestamp(), cached, fromTiers);
    }

    internal void Token(bool isThinking)
    {
        var now = Stopwatch.GetTimestamp();
        if (GeneratedTokens++ == 0) firstToken = now;
        else longestGap = Math.Max(longestGap, now - lastToken);
        lastToken = now;
        if (isThinking) ThinkingTokens++;
    }

    internal void Ended() => ended = Stopwatch.GetTimestamp();

    private static TimeSpan Between(long from, long to) => from == 0 || to == 0 ? TimeSpan.Zero : Stopwatch.GetElapsedTime(from, to);
}
