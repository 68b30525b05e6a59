namespace Quilt.Hosting.Telemetry;

/// <summary>
/// Every name by which meters and traces are known outside. The GenAI conventions are still in development: what they rename is renamed here.
/// </summary>
internal static class TelemetryNames
{
    /// <summary>The meter, and the source of spans.</summary>
    public const string Source = "Quilt.Runtime";

    /// <summary>Who answers, as <see cref="Provider"/>.</summary>
    public const string ProviderName = "quilt";

    // Metrics of the conventions, and their buckets (docs/telemetry.md).
    public const string RequestDuration = "gen_ai.server.request.duration";
    public const string TimeToFirstToken = "gen_ai.server.time_to_first_token";
    public const string TimePerOutputToken = "gen_ai.server.time_per_output_token";
    public const string TokenUsage = "gen_ai.client.token.usage";

    // Metrics of Quilt's own.
    public const string KvBlocks = "quilt.kv.blocks";
    public const string QueueLength = "quilt.queue.length";
    public const string StepDuration = "quilt.step.duration";
    public const string StepTokens = "quilt.step.tokens";
    public const string PrefixHitTokens = "quilt.prefix.hit_tokens";
    public const string Preemptions = "quilt.preemptions";
    public const string KvState = "quilt.kv.state";

    // Attributes of spans and metrics.
    public const string Operation = "gen_ai.operation.name";
    public const string Provider = "gen_ai.provider.name";
    public const string TokenType = "gen_ai.token.type";
    public const string ErrorType = "error.type";
    public const string RequestModel = "gen_ai.request.model";
    public const string RequestTemperature = "gen_ai.request.temperature";
    public const string RequestTopP = "gen_ai.request.top_p";
    public const string RequestTopK = "gen_ai.request.top_k";
    public const string RequestMaxTokens = "gen_ai.request.max_tokens";
    public const string RequestFrequencyPenalty = "gen_ai.request.frequency_penalty";
    public const string RequestPresencePenalty = "gen_ai.request.presence_penalty";
    public const string RequestSeed = "gen_ai.request.seed";
    public const string RequestChoices = "gen_ai.request.choice.count";
    public const string RequestStream = "gen_ai.request.stream";
    public const string ResponseId = "gen_ai.response.id";
    public const string ResponseModel = "gen_ai.response.model";
    public const string ResponseFinishReasons = "gen_ai.response.finish_reasons";
    public const string UsageInput = "gen_ai.usage.input_tokens";
    public const string UsageOutput = "gen_ai.usage.output_tokens";
    public const string UsageCacheRead = "gen_ai.usage.cache_read.input_tokens";
    public const string UsageReasoning = "gen_ai.usage.reasoning.output_tokens";

    // vLLM's own attributes of a request's span, in seconds.
    public const string LatencyQueue = "gen_ai.latency.time_in_queue";
    public const string LatencyFirstToken = "gen_ai.latency.time_to_first_token";
    public const string LatencyPrefill = "gen_ai.latency.time_in_model_prefill";
    public const string LatencyDecode = "gen_ai.latency.time_in_model_decode";
    public const string LatencyInference = "gen_ai.latency.time_in_model_inference";
    public const string LatencyTotal = "gen_ai.latency.e2e";

    // Values.
    public const string Chat = "chat";
    public const string TextCompletion = "text_completion";
    public const string Input = "input";
    public const string Output = "output";

    /// <summary>A finish reason by vLLM's name; one of five.</summary>
    public static string Of(Quilt.Runtime.FinishReason reason) => reason switch
    {
        Quilt.Runtime.FinishReason.Stop => "stop",
        Quilt.Runtime.FinishReason.Length => "length",
        Quilt.Runtime.FinishReason.Error => "error",
        Quilt.Runtime.FinishReason.Repetition => "repetition",
        _ => "abort",
    };
}
