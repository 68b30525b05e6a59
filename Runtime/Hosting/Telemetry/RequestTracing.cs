using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Quilt.Runtime.Sampling;

namespace Quilt.Hosting.Telemetry;

/// <summary>Begins the account of a request: span, meter and log line. Costs nothing while nobody wants any of them.</summary>
internal sealed class RequestTracing(ServerMeter meter, TimeProvider time, ILoggerFactory loggers)
{
    private const int MostIdLength = 128;
    private static readonly ActivitySource Spans = new(TelemetryNames.Source, typeof(RequestTracing).Assembly.GetName().Version?.ToString(3));
    private readonly ILogger logger = loggers.CreateLogger(Log.Category);

    /// <summary>
    /// A request begins. Its span is a child of the one that ASP.NET Core has opened for the HTTP request, which continues the caller's
    /// (<c>traceparent</c>).
    /// </summary>
    /// <param name="operation"><see cref="TelemetryNames.Chat"/> or <see cref="TelemetryNames.TextCompletion"/>.</param>
    /// <param name="model">The model's first name; never what a client made up.</param>
    /// <param name="sampling">How tokens will be chosen.</param>
    /// <param name="id">The id that the answer carries.</param>
    /// <param name="choices">Replies asked for.</param>
    /// <param name="stream">Whether the answer is streamed.</param>
    public RequestTrace Start(string operation, string model, SamplingOptions sampling, string? id = null, int choices = 1, bool stream = false)
    {
        var span = Spans.HasListeners() ? Spans.StartActivity($"{operation} {model}", ActivityKind.Internal) : null;
        if (span is null && !meter.IsEnabled && !logger.IsEnabled(LogLevel.Debug)) return RequestTrace.None;
        if (id is { Length: > MostIdLength } || id?.AsSpan().ContainsAnyExceptInRange('!', '~') == true) id = null;
        if (span is { IsAllDataRequested: true }) Describe(span, operation, model, sampling, id, choices, stream);
        return new RequestTrace(new(meter, time, logger, operation, model, id), span);
    }

    private static void Describe(Activity span, string operation, string model, SamplingOptions sampling, string? id, int choices, bool stream)
    {
        span.SetTag(TelemetryNames.Operation, operation);
        span.SetTag(TelemetryNames.Provider, TelemetryNames.ProviderName);
        span.SetTag(TelemetryNames.RequestModel, model);
        span.SetTag(TelemetryNames.ResponseModel, model);
        span.SetTag(TelemetryNames.RequestTemperature, sampling.Temperature);
        span.SetTag(TelemetryNames.RequestTopP, sampling.TopP);
        if (sampling.TopK > 0) span.SetTag(TelemetryNames.RequestTopK, sampling.TopK);
        span.SetTag(TelemetryNames.RequestFrequencyPenalty, sampling.FrequencyPenalty);
        span.SetTag(TelemetryNames.RequestPresencePenalty, sampling.PresencePenalty);
        if (sampling.MaxTokens is { } most) span.SetTag(TelemetryNames.RequestMaxTokens, most);
        if (sampling.Seed is { } seed) span.SetTag(TelemetryNames.RequestSeed, seed);
        if (choices != 1) span.SetTag(TelemetryNames.RequestChoices, choices);
        if (stream) span.SetTag(TelemetryNames.RequestStream, true);
        if (id is not null) span.SetTag(TelemetryNames.ResponseId, id);
    }
}
