using Quilt.Hosting.Models;
using Quilt.Runtime;

namespace Quilt.Hosting.Telemetry;

/// <summary>
/// vLLM's metrics by vLLM's names, and where it renamed one by the old name too. What Quilt does not have (LoRA, drafts, a cache elsewhere) is left
/// out. docs/telemetry.md says what each is.
/// </summary>
internal static class VllmMetrics
{
    private static readonly (string Name, string Help, Func<EngineSnapshot, double> Value)[] Gauges =
    [
        ("vllm:num_requests_running", "Number of requests in model execution batches.", now => now.Running),
        ("vllm:num_requests_waiting", "Number of requests waiting to be processed.", now => now.Waiting),
        ("vllm:kv_cache_usage_perc", "KV-cache usage. 1 means 100 percent usage.", now => now.CacheUsage),
        ("vllm:gpu_cache_usage_perc", "GPU KV-cache usage. 1 means 100 percent usage. DEPRECATED: Use vllm:kv_cache_usage_perc instead.",
            now => now.CacheUsage),
    ];

    private static readonly (string Name, string Help, Func<ModelCounts, long> Value)[] Counters =
    [
        ("vllm:prefix_cache_queries_total", "Prefix cache queries, in terms of number of queried tokens.", counts => counts.PrefixQueries),
        ("vllm:prefix_cache_hits_total", "Prefix cache hits, in terms of number of cached tokens.", counts => counts.PrefixHits),
        ("vllm:gpu_prefix_cache_queries_total", "GPU prefix cache queries, in terms of number of queried tokens. DEPRECATED: Use " +
            "vllm:prefix_cache_queries instead.", counts => counts.PrefixQueries),
        ("vllm:gpu_prefix_cache_hits_total", "GPU prefix cache hits, in terms of number of cached tokens. DEPRECATED: Use " +
            "vllm:prefix_cache_hits instead.", counts => counts.PrefixHits),
        ("vllm:num_preemptions_total", "Cumulative number of preemption from the engine.", counts => counts.Preemptions),
        ("vllm:prompt_tokens_total", "Number of prefill tokens processed.", counts => counts.PromptTokens),
        ("vllm:generation_tokens_total", "Number of generation tokens processed.", counts => counts.GeneratedTokens),
    ];

    private static readonly (string Name, string Help, Func<ModelCounts, BucketCounts> Value)[] Histograms =
    [
        ("vllm:request_prompt_tokens", "Number of prefill tokens processed.", counts => counts.RequestPromptTokens),
        ("vllm:request_generation_tokens", "Number of generation tokens processed.", counts => counts.RequestGeneratedTokens),
        ("vllm:iteration_tokens_total", "Histogram of number of tokens per engine_step.", counts => counts.StepTokens),
        ("vllm:request_max_num_generation_tokens", "Histogram of maximum number of requested generation tokens.",
            counts => counts.RequestMostGeneratedTokens),
        ("vllm:request_params_n", "Histogram of the n request parameter.", counts => counts.RequestChoices),
        ("vllm:request_params_max_tokens", "Histogram of the max_tokens request parameter.", counts => counts.RequestMaxTokens),
        ("vllm:request_prefill_kv_computed_tokens", "Histogram of new KV tokens computed during prefill (excluding cached tokens).",
            counts => counts.RequestComputedTokens),
        ("vllm:request_num_preemptions", "Histogram of the number of preemptions per request.", counts => counts.RequestPreemptions),
        ("vllm:time_to_first_token_seconds", "Histogram of time to first token in seconds.", counts => counts.TimeToFirstToken),
        ("vllm:inter_token_latency_seconds", "Histogram of inter-token latency in seconds.", counts => counts.InterTokenTime),
        ("vllm:time_per_output_token_seconds", "Histogram of time per output token in seconds. DEPRECATED: Use " +
            "vllm:inter_token_latency_seconds instead.", counts => counts.InterTokenTime),
        ("vllm:request_time_per_output_token_seconds", "Histogram of time_per_output_token_seconds per request.", counts => counts.TokenTime),
        ("vllm:e2e_request_latency_seconds", "Histogram of e2e request latency in seconds.", counts => counts.TotalTime),
        ("vllm:request_queue_time_seconds", "Histogram of time spent in WAITING phase for request.", counts => counts.QueueTime),
        ("vllm:request_inference_time_seconds", "Histogram of time spent in RUNNING phase for request.", counts => counts.InferenceTime),
        ("vllm:request_prefill_time_seconds", "Histogram of time spent in PREFILL phase for request.", counts => counts.PrefillTime),
        ("vllm:request_decode_time_seconds", "Histogram of time spent in DECODE phase for request.", counts => counts.DecodeTime),
        ("quilt:step_duration_seconds", "Histogram of the time of an engine step in seconds.", counts => counts.StepTime),
    ];

    /// <summary>Writes all of them, of the models that were loaded so far. One that is dropped runs nothing.</summary>
    public static void Write(PrometheusText text, IReadOnlyList<ServedModel> models, ModelWatch watch)
    {
        (string Name, ModelCounts Counts, EngineSnapshot Now)[] loaded =
        [
            .. from model in models
               let counts = watch.Counts(model)
               where counts is not null
               select (model.Name, counts, model.Engine?.Snapshot() ?? default),
        ];
        foreach (var (name, help, value) in Gauges)
        {
            text.Family(name, "gauge", help);
            foreach (var model in loaded) text.Sample(name, model.Name, value(model.Now));
        }
        WriteConfiguration(text, models);
        foreach (var (name, help, value) in Counters)
        {
            text.Family(name, "counter", help);
            foreach (var model in loaded) text.Sample(name, model.Name, value(model.Counts));
        }
        WriteTiers(text, loaded);
        WriteReasons(text, loaded);
        foreach (var (name, help, value) in Histograms)
        {
            text.Family(name, "histogram", help);
            foreach (var model in loaded) text.Histogram(name, model.Name, value(model.Counts));
        }
    }

    // vLLM counts external_prefix_cache_hits of all connectors together; which tier pays is what one wants to know.
    private static void WriteTiers(PrometheusText text, (string Name, ModelCounts Counts, EngineSnapshot Now)[] loaded)
    {
        const string Name = "quilt:tier_hit_tokens_total";
        text.Family(Name, "counter", "Prompt tokens brought from the tiers behind the cache.");
        foreach (var model in loaded)
        {
            var from = model.Counts.FromTiers;
            text.Sample(Name, model.Name, from.Host, "tier=\"host\"");
            text.Sample(Name, model.Name, from.Disk, "tier=\"disk\"");
            text.Sample(Name, model.Name, from.Remote, "tier=\"remote\"");
        }
    }

    private static void WriteReasons(PrometheusText text, (string Name, ModelCounts Counts, EngineSnapshot Now)[] loaded)
    {
        const string Name = "vllm:request_success_total";
        text.Family(Name, "counter", "Count of successfully processed requests.");
        foreach (var model in loaded)
        {
            foreach (var reasons in Enum.GetValues<FinishReason>().GroupBy(TelemetryNames.Of))
                text.Sample(Name, model.Name, reasons.Sum(model.Counts.Ended), $"finished_reason=\"{reasons.Key}\"");
        }
    }

    private static void WriteConfiguration(PrometheusText text, IReadOnlyList<ServedModel> models)
    {
        const string Name = "vllm:cache_config_info";
        text.Family(Name, "gauge", "Information of the LLMEngine CacheConfig");
        foreach (var model in models)
        {
            if (model.Engine is { } engine) text.Information(Name, model.Name, engine);
        }
    }

    private static void Information(this PrometheusText text, string name, string model, Engine engine)
    {
        var type = engine.Memory.CacheType.ToString().ToLowerInvariant();
        var prefixes = engine.Options.PrefixCaching ? "True" : "False";
        text.Sample(name, model, 1, $"block_size=\"{engine.Options.BlockTokens}\",cache_dtype=\"{type}\",enable_prefix_caching=\"{prefixes}\"," +
            $"num_gpu_blocks=\"{engine.Snapshot().Blocks}\"");
    }
}
