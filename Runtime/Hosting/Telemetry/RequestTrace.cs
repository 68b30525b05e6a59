using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Quilt.Runtime;

namespace Quilt.Hosting.Telemetry;

/// <summary>
/// The account of one request: told of the end of each choice, or of what failed, and written when it is disposed of. One thread at a time.
/// </summary>
internal sealed class RequestTrace : IDisposable
{
    private readonly Origin? origin;
    private readonly Activity? span;
    private readonly long started;
    private readonly List<GenerationEnd> ends = [];
    private string? error;
    private bool isOver;

    /// <summary>An account of <paramref name="origin"/>.</summary>
    public RequestTrace(Origin origin, Activity? span)
    {
        (this.origin, this.span) = (origin, span);
        started = origin.Time.GetTimestamp();
    }

    private RequestTrace()
    {
    }

    /// <summary>The account of a request that nobody wants to hear of.</summary>
    public static RequestTrace None { get; } = new();

    /// <summary>A choice is over.</summary>
    public void End(GenerationEnd end)
    {
        if (origin is null) return;
        ends.Add(end);
        if (end.Error is { } thrown) Fail(thrown.GetType().Name);
        else if (end.Reason == FinishReason.Timeout) Fail("timeout");
    }

    /// <summary>It failed, or was refused.</summary>
    /// <param name="kind">What kind of error: a status, a type. Few values; nothing that came with the request.</param>
    public void Fail(string kind)
    {
        if (origin is not null) error ??= kind;
    }

    /// <summary>Writes the account. A request of which no choice ended was given up.</summary>
    public void Dispose()
    {
        if (origin is null || isOver) return;
        isOver = true;
        var total = origin.Time.GetElapsedTime(started);
        if (span is not null)
        {
            if (span.IsAllDataRequested) Describe(span, total);
            span.Dispose();
        }
        if (origin.Meter.IsEnabled) origin.Meter.Request(origin.Operation, origin.Model, total, error, [.. ends.Select(end => end.Usage)]);
        if (origin.Logger.IsEnabled(LogLevel.Debug)) Write(origin, total);
    }

    private void Describe(Activity span, TimeSpan total)
    {
        if (error is not null)
        {
            span.SetTag(TelemetryNames.ErrorType, error);
            span.SetStatus(ActivityStatusCode.Error);
        }
        span.SetTag(TelemetryNames.LatencyTotal, total.TotalSeconds);
        if (ends.Count == 0) return;
        span.SetTag(TelemetryNames.ResponseFinishReasons, ends.Select(end => TelemetryNames.Of(end.Reason)).ToArray());
        var first = ends[0].Usage;
        span.SetTag(TelemetryNames.UsageInput, first.PromptTokens);
        span.SetTag(TelemetryNames.UsageCacheRead, first.CachedTokens);
        span.SetTag(TelemetryNames.UsageOutput, ends.Sum(end => end.Usage.GeneratedTokens));
        span.SetTag(TelemetryNames.UsageReasoning, ends.Sum(end => end.Usage.ThinkingTokens));
        span.SetTag(TelemetryNames.LatencyQueue, first.QueueTime.TotalSeconds);
        if (first.GeneratedTokens == 0) return;
        var prefill = first.PromptTime - first.QueueTime;
        span.SetTag(TelemetryNames.LatencyFirstToken, first.PromptTime.TotalSeconds);
        span.SetTag(TelemetryNames.LatencyPrefill, prefill.TotalSeconds);
        span.SetTag(TelemetryNames.LatencyDecode, first.GenerationTime.TotalSeconds);
        span.SetTag(TelemetryNames.LatencyInference, (prefill + first.GenerationTime).TotalSeconds);
    }

    private void Write(Origin from, TimeSpan total)
    {
        var first = ends.Count > 0 ? ends[0].Usage : null;
        var reasons = ends.Count > 0 ? string.Join(",", ends.Select(end => TelemetryNames.Of(end.Reason))) : "abort";
        Log.RequestEnded(from.Logger, from.Id ?? "-", from.Operation, from.Model, error is null ? reasons : $"{reasons} ({error})",
            first?.PromptTokens ?? 0, first?.CachedTokens ?? 0, ends.Sum(end => end.Usage.GeneratedTokens),
            ends.Sum(end => end.Usage.ThinkingTokens), first?.QueueTime.TotalMilliseconds ?? 0, first?.PromptTime.TotalMilliseconds ?? 0,
            total.TotalMilliseconds);
    }

    /// <summary>Whose account it is, and who wants it.</summary>
    internal sealed record Origin(ServerMeter Meter, TimeProvider Time, ILogger Logger, string Operation, string Model, string? Id);
}
