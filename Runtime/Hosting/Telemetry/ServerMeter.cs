using System.Diagnostics;
using System.Diagnostics.Metrics;
using Quilt.Runtime;

namespace Quilt.Hosting.Telemetry;

/// <summary>
/// The meter <c>Quilt.Runtime</c>: what a step or a request did, recorded once for each, never for a token. Recording costs next to nothing while
/// nobody listens, and allocates nothing while somebody does.
/// </summary>
internal sealed class ServerMeter
{
    private readonly Histogram<double> stepDuration;
    private readonly Histogram<long> stepTokens;
    private readonly Counter<long> prefixHits;
    private readonly Counter<long> preemptions;
    private readonly Histogram<double> duration;
    private readonly Histogram<double> firstToken;
    private readonly Histogram<double> tokenTime;
    private readonly Histogram<long> usage;

    public ServerMeter(IMeterFactory factory)
    {
        var version = typeof(ServerMeter).Assembly.GetName().Version?.ToString(3);
        var meter = factory.Create(new MeterOptions(TelemetryNames.Source) { Version = version });
        stepDuration = meter.CreateHistogram(TelemetryNames.StepDuration, "s", "How long a step took.", null, Advice(Buckets.StepTime));
        stepTokens = meter.CreateHistogram(TelemetryNames.StepTokens, "{token}",
            "Tokens computed in a step, of prompts (input) and replies (output).", null,
            Advice(Array.ConvertAll(Buckets.StepTokens, bound => (long)bound)));
        prefixHits = meter.CreateCounter<long>(TelemetryNames.PrefixHitTokens, "{token}", "Prompt tokens found in the prefix cache.");
        preemptions = meter.CreateCounter<long>(TelemetryNames.Preemptions, "{preemption}", "Times a request gave up its place for want of blocks.");
        duration = meter.CreateHistogram(TelemetryNames.RequestDuration, "s",
            "Generative AI server request duration such as time-to-last byte or last output token.", null, Advice(Buckets.ConventionDuration));
        firstToken = meter.CreateHistogram(TelemetryNames.TimeToFirstToken, "s", "Time to generate first token for successful responses.", null,
            Advice(Buckets.ConventionFirstToken));
        tokenTime = meter.CreateHistogram(TelemetryNames.TimePerOutputToken, "s",
            "Time per output token generated after the first token for successful responses.", null, Advice(Buckets.ConventionTokenTime));
        usage = meter.CreateHistogram(TelemetryNames.TokenUsage, "{token}", "Number of input and output tokens used.", null,
            Advice(Buckets.ConventionTokens));
        meter.CreateObservableUpDownCounter(TelemetryNames.KvBlocks, KvBlocks, "{block}",
            "Blocks of the cache of keys and values: used by requests that run, or free.");
        meter.CreateObservableUpDownCounter(TelemetryNames.QueueLength, QueueLengths, "{request}", "Requests that wait for their turn.");
    }

    /// <summary>Engines that are open, by the names of their models.</summary>
    public Func<IEnumerable<(string Model, EngineSnapshot Now)>> Snapshots { get; set; } = static () => [];

    /// <summary>Whether anybody listens to what is recorded of requests.</summary>
    public bool IsEnabled => duration.Enabled || firstToken.Enabled || tokenTime.Enabled || usage.Enabled;

    /// <summary>A step was made since <paramref name="before"/>.</summary>
    public void Step(string model, in StepReport step, in EngineSnapshot before)
    {
        var tag = Tag(TelemetryNames.RequestModel, model);
        stepDuration.Record(step.Time.TotalSeconds, tag);
        if (step.PromptTokens > 0) stepTokens.Record(step.PromptTokens, tag, Tag(TelemetryNames.TokenType, TelemetryNames.Input));
        if (step.DecodeTokens > 0) stepTokens.Record(step.DecodeTokens, tag, Tag(TelemetryNames.TokenType, TelemetryNames.Output));
        if (step.Snapshot.PrefixHits - before.PrefixHits is > 0 and var hits) prefixHits.Add(hits, tag);
        if (step.Snapshot.Preemptions - before.Preemptions is > 0 and var times) preemptions.Add(times, tag);
    }

    /// <summary>A request was answered, or was not.</summary>
    /// <param name="operation"><see cref="TelemetryNames.Chat"/> or <see cref="TelemetryNames.TextCompletion"/>.</param>
    /// <param name="model">The model's name.</param>
    /// <param name="time">From its arrival to its end.</param>
    /// <param name="error">The kind of error; null where it succeeded.</param>
    /// <param name="usages">Counts and times of its choices.</param>
    public void Request(string operation, string model, TimeSpan time, string? error, IReadOnlyList<GenerationStats> usages)
    {
        var tags = new TagList
        {
            { TelemetryNames.Operation, operation }, { TelemetryNames.Provider, TelemetryNames.ProviderName },
            { TelemetryNames.RequestModel, model }, { TelemetryNames.ResponseModel, model },
        };
        if (error is null)
        {
            Times(usages, tags);
            duration.Record(time.TotalSeconds, tags);
        }
        else
        {
            var failed = tags;
            failed.Add(TelemetryNames.ErrorType, error);
            duration.Record(time.TotalSeconds, failed);
        }
        if (usages.Count == 0) return;
        var input = tags;
        input.Add(TelemetryNames.TokenType, TelemetryNames.Input);
        usage.Record(usages[0].PromptTokens, input);
        tags.Add(TelemetryNames.TokenType, TelemetryNames.Output);
        usage.Record(usages.Sum(one => (long)one.GeneratedTokens), tags);
    }

    private void Times(IReadOnlyList<GenerationStats> usages, in TagList tags)
    {
        var first = TimeSpan.MaxValue;
        foreach (var one in usages)
        {
            if (one.GeneratedTokens > 0 && one.PromptTime < first) first = one.PromptTime;
            if (one.GeneratedTokens > 1) tokenTime.Record(one.TokenTime.TotalSeconds, tags);
        }
        if (first != TimeSpan.MaxValue) firstToken.Record(first.TotalSeconds, tags);
    }

    private IEnumerable<Measurement<int>> KvBlocks()
    {
        foreach (var (model, now) in Snapshots())
        {
            var tag = Tag(TelemetryNames.RequestModel, model);
            yield return new(now.BlocksUsed, tag, Tag(TelemetryNames.KvState, "used"));
            yield return new(now.Blocks - now.BlocksUsed, tag, Tag(TelemetryNames.KvState, "free"));
        }
    }

    private IEnumerable<Measurement<int>> QueueLengths() =>
        Snapshots().Select(one => new Measurement<int>(one.Now.Waiting, Tag(TelemetryNames.RequestModel, one.Model)));

    private static KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);

    private static InstrumentAdvice<T> Advice<T>(T[] bounds) where T : struct => new() { HistogramBucketBoundaries = bounds };
}
