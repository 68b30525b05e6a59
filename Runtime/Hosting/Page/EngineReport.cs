using System.Text.Json.Serialization;

namespace Quilt.Hosting.Page;

/// <summary>What <c>/engine</c> says: figures of every model. No text of any request, no key, no tenant.</summary>
internal sealed record EngineReport
{
    /// <summary>Milliseconds since the server began to count; all times of lanes are on this clock.</summary>
    public required double Now { get; init; }

    /// <summary>All models, loaded or not.</summary>
    public required IReadOnlyList<ModelReport> Models { get; init; }
}

/// <summary>A model's engine. The figures are those of <see cref="Runtime.EngineSnapshot"/>, rates and lanes beside.</summary>
internal sealed record ModelReport
{
    public required string Name { get; init; }

    public required bool Loaded { get; init; }

    public required int Running { get; init; }

    public required int Waiting { get; init; }

    public required int Blocks { get; init; }

    public required int BlocksUsed { get; init; }

    public required int BlocksCached { get; init; }

    /// <summary>From 0 to 1.</summary>
    public required double CacheUsage { get; init; }

    public required long PrefixQueries { get; init; }

    public required long PrefixHits { get; init; }

    /// <summary>From 0 to 1.</summary>
    public required double HitRate { get; init; }

    public required long PromptTokens { get; init; }

    public required long GeneratedTokens { get; init; }

    public required long Steps { get; init; }

    public required long Preemptions { get; init; }

    public required long Finished { get; init; }

    /// <summary>Prompt tokens computed a second.</summary>
    public required double PromptRate { get; init; }

    /// <summary>Tokens generated a second.</summary>
    public required double GeneratedRate { get; init; }

    /// <summary>Median of the last requests' time to the first token, in seconds; null where there were none.</summary>
    public required double? TimeToFirstToken { get; init; }

    /// <summary>Requests: those that run, then those that ended, the last one first.</summary>
    public required IReadOnlyList<RequestReport> Lanes { get; init; }
}

/// <summary>A request over time, in milliseconds.</summary>
internal sealed record RequestReport
{
    /// <summary>Counts the model's requests.</summary>
    public required long Id { get; init; }

    /// <summary><c>waiting</c>, <c>reading</c> (its prompt), <c>generating</c> or <c>ended</c>.</summary>
    public required string State { get; init; }

    /// <summary>Why it ended; null while it runs.</summary>
    public required string? Reason { get; init; }

    public required int PromptTokens { get; init; }

    /// <summary>Of the prompt's tokens those found in the cache.</summary>
    public required int CachedTokens { get; init; }

    public required int GeneratedTokens { get; init; }

    public required double Submitted { get; init; }

    public required double? Started { get; init; }

    public required double? FirstToken { get; init; }

    public required double? Ended { get; init; }
}

/// <summary>The feed as JSON, by generated code.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(EngineReport))]
internal sealed partial class EngineReportJson : JsonSerializerContext;
