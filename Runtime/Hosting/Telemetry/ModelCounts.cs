using Quilt.Runtime;

namespace Quilt.Hosting.Telemetry;

/// <summary>
/// What is counted of a model for /metrics, from the start of the process: a model that is dropped and loaded again goes on counting.
/// </summary>
/// <param name="maxTokens">Most tokens of a request, which bounds the buckets of its tokens.</param>
internal sealed class ModelCounts(int maxTokens)
{
    private readonly long[] ended = new long[Enum.GetValues<FinishReason>().Length];
    private long promptTokens;
    private long generatedTokens;
    private long prefixQueries;
    private long prefixHits;
    private long hostTokens;
    private long diskTokens;
    private long remoteTokens;
    private long preemptions;

    /// <summary>Tokens of prompts, computed and found.</summary>
    public long PromptTokens => Volatile.Read(ref promptTokens);

    /// <summary>Tokens generated.</summary>
    public long GeneratedTokens => Volatile.Read(ref generatedTokens);

    /// <summary>Tokens looked for in the prefix cache.</summary>
    public long PrefixQueries => Volatile.Read(ref prefixQueries);

    /// <summary>Tokens found there.</summary>
    public long PrefixHits => Volatile.Read(ref prefixHits);

    /// <summary>Of these, tokens that were brought from the tiers behind the cache.</summary>
    public TierTokens FromTiers => new(Volatile.Read(ref hostTokens), Volatile.Read(ref diskTokens), Volatile.Read(ref remoteTokens));

    /// <summary>Times a request gave its place up.</summary>
    public long Preemptions => Volatile.Read(ref preemptions);

    public BucketCounts StepTokens { get; } = new(Buckets.StepTokens);

    public BucketCounts StepTime { get; } = new(Buckets.StepTime);

    public BucketCounts TimeToFirstToken { get; } = new(Buckets.FirstToken);

    public BucketCounts InterTokenTime { get; } = new(Buckets.InterToken);

    public BucketCounts TokenTime { get; } = new(Buckets.InterToken);

    public BucketCounts TotalTime { get; } = new(Buckets.Latency);

    public BucketCounts QueueTime { get; } = new(Buckets.Latency);

    public BucketCounts InferenceTime { get; } = new(Buckets.Latency);

    public BucketCounts PrefillTime { get; } = new(Buckets.Latency);

    public BucketCounts DecodeTime { get; } = new(Buckets.Latency);

    public BucketCounts RequestPromptTokens { get; } = new(Buckets.Tokens(maxTokens));

    public BucketCounts RequestGeneratedTokens { get; } = new(Buckets.Tokens(maxTokens));

    public BucketCounts RequestMostGeneratedTokens { get; } = new(Buckets.Tokens(maxTokens));

    public BucketCounts RequestComputedTokens { get; } = new(Buckets.Tokens(maxTokens));

    public BucketCounts RequestMaxTokens { get; } = new(Buckets.Tokens(maxTokens));

    public BucketCounts RequestChoices { get; } = new(Buckets.Choices);

    public BucketCounts RequestPreemptions { get; } = new(Buckets.Preemptions);

    /// <summary>Requests that ended so.</summary>
    public long Ended(FinishReason reason) => Volatile.Read(ref ended[(int)reason]);

    /// <summary>A step was made since <paramref name="before"/>.</summary>
    public void Step(in StepReport step, in EngineSnapshot before)
    {
        var after = step.Snapshot;
        Interlocked.Add(ref promptTokens, after.PromptTokens - before.PromptTokens);
        Interlocked.Add(ref generatedTokens, after.GeneratedTokens - before.GeneratedTokens);
        Interlocked.Add(ref prefixQueries, after.PrefixQueries - before.PrefixQueries);
        Interlocked.Add(ref prefixHits, after.PrefixHits - before.PrefixHits);
        Interlocked.Add(ref hostTokens, after.FromTiers.Host - before.FromTiers.Host);
        Interlocked.Add(ref diskTokens, after.FromTiers.Disk - before.FromTiers.Disk);
        Interlocked.Add(ref remoteTokens, after.FromTiers.Remote - before.FromTiers.Remote);
        Interlocked.Add(ref preemptions, after.Preemptions - before.Preemptions);
        StepTokens.Add(step.PromptTokens + step.DecodeTokens);
        StepTime.Add(step.Time);
    }

    /// <summary>A request is over.</summary>
    public void Request(Generation generation, FinishReason reason)
    {
        Interlocked.Increment(ref ended[(int)reason]);
        var stats = generation.Stats;
        TotalTime.Add(stats.TotalTime);
        RequestPromptTokens.Add(stats.PromptTokens);
        RequestGeneratedTokens.Add(stats.GeneratedTokens);
        RequestComputedTokens.Add(stats.PromptTokens - stats.CachedTokens);
        RequestMaxTokens.Add(generation.MaxTokens);
        RequestPreemptions.Add(stats.Preemptions);
        if (stats.QueueTime > TimeSpan.Zero) QueueTime.Add(stats.QueueTime);
        if (stats.GeneratedTokens == 0) return;
        PrefillTime.Add(stats.PromptTime - stats.QueueTime);
        DecodeTime.Add(stats.GenerationTime);
        InferenceTime.Add(stats.PromptTime - stats.QueueTime + stats.GenerationTime);
        if (stats.GeneratedTokens > 1) TokenTime.Add(stats.TokenTime);
        // Its pause is in no step's account (ServerObserver): where it gave way, that is mostly its longest.
        if (stats.Preemptions > 0 && stats.GeneratedTokens > 1) InterTokenTime.Add(stats.LongestTokenTime);
    }
}
