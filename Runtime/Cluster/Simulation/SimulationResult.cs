namespace Quilt.Cluster.Simulation;

/// <summary>What a trace met in a cluster under one policy. Times are seconds of the simulation.</summary>
internal sealed record SimulationResult
{
    /// <summary>The policy.</summary>
    public required string Policy { get; init; }

    /// <summary>Requests that were answered.</summary>
    public int Ended { get; init; }

    /// <summary>Requests that no replica can ever hold, and those that would have followed them.</summary>
    public int Refused { get; init; }

    /// <summary>Tokens of the prompts that were answered.</summary>
    public long PromptTokens { get; init; }

    /// <summary>Of these, found in a cache when the request was first admitted.</summary>
    public long CachedTokens { get; init; }

    /// <summary>Tokens of prompts that were computed, those that had to be computed again included.</summary>
    public long ComputedTokens { get; init; }

    /// <summary>Tokens of replies.</summary>
    public long ReplyTokens { get; init; }

    /// <summary>Times a sequence had to give its blocks back.</summary>
    public long Preemptions { get; init; }

    /// <summary>Time to the first token: half are not above, and 99 of 100.</summary>
    public (double Half, double Most) FirstToken { get; init; }

    /// <summary>Time from token to token of a reply, likewise.</summary>
    public (double Half, double Most) BetweenTokens { get; init; }

    /// <summary>From the first arrival to the last token.</summary>
    public double Seconds { get; init; }

    /// <summary>Share of the time that replicas had something to do.</summary>
    public double Utilisation { get; init; }

    /// <summary>What a million tokens of replies cost.</summary>
    public double CostPerMillion { get; init; }

    /// <summary>Share of the prompts' tokens that was found in a cache.</summary>
    public double HitRate => PromptTokens == 0 ? 0 : (double)CachedTokens / PromptTokens;

    /// <summary>Tokens of replies a second.</summary>
    public double TokensPerSecond => ReplyTokens / Seconds;
}
