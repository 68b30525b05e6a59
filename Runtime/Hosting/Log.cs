using Microsoft.Extensions.Logging;

namespace Quilt.Hosting;

/// <summary>All that a host says in its log: changes of state, and requests at Debug. Never prompts, replies or keys.</summary>
internal static partial class Log
{
    /// <summary>The category of all of it.</summary>
    public const string Category = "Quilt.Hosting";

    [LoggerMessage(1, LogLevel.Information, "Serving {Models}.")]
    public static partial void HostStarted(ILogger logger, string models);

    [LoggerMessage(2, LogLevel.Information, "Stopping: requests that run may end, new ones are refused.")]
    public static partial void HostStopping(ILogger logger);

    [LoggerMessage(3, LogLevel.Information, "Model {Model}: loading {Folder}.")]
    public static partial void ModelLoading(ILogger logger, string model, string folder);

    [LoggerMessage(4, LogLevel.Information, "Model {Model}: loaded in {Seconds:0.00} s and warmed up in {WarmUpMs:0} ms; " +
        "{WeightBytes} bytes of weights, {CacheBytes} bytes of cache, {MaxTokens} tokens at most.")]
    public static partial void ModelLoaded(ILogger logger, string model, double seconds, double warmUpMs, long weightBytes, long cacheBytes,
        int maxTokens);

    [LoggerMessage(5, LogLevel.Information, "Model {Model}: dropped, {Bytes} bytes are free.")]
    public static partial void ModelDropped(ILogger logger, string model, long bytes);

    [LoggerMessage(6, LogLevel.Error, "Model {Model}: cannot be loaded.")]
    public static partial void ModelFailed(ILogger logger, Exception reason, string model);

    [LoggerMessage(7, LogLevel.Debug, "Request {Id} ({Operation} {Model}) ended: {Reason}; {PromptTokens} prompt tokens, " +
        "{CachedTokens} of them cached, {GeneratedTokens} generated, {ThinkingTokens} of them thinking; waited {QueueMs:0} ms, " +
        "first token after {FirstMs:0} ms, over after {TotalMs:0} ms.")]
    public static partial void RequestEnded(ILogger logger, string id, string operation, string model, string reason, int promptTokens,
        int cachedTokens, int generatedTokens, int thinkingTokens, double queueMs, double firstMs, double totalMs);

    [LoggerMessage(8, LogLevel.Critical, "Model {Model}: the engine failed and takes no request any more.")]
    public static partial void EngineFailed(ILogger logger, Exception reason, string model);

    [LoggerMessage(9, LogLevel.Error, "The observer {Observer} threw and is told nothing more.")]
    public static partial void ObserverFailed(ILogger logger, Exception reason, string observer);

    [LoggerMessage(10, LogLevel.Information, "Requests refused within {Seconds:0.0} s: {Counts}.")]
    public static partial void Refused(ILogger logger, double seconds, string counts);

    [LoggerMessage(11, LogLevel.Warning, "Model {Model}: the request that warms it up failed.")]
    public static partial void WarmUpFailed(ILogger logger, Exception reason, string model);

    [LoggerMessage(12, LogLevel.Error, "A request failed in a way that none should: {Kind} at {Stack}")]
    public static partial void RequestFailed(ILogger logger, string kind, string stack);
}
