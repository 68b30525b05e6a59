using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Quilt.Hosting.Telemetry;

/// <summary>Whether requests should be sent here: models are loaded and warm, and the host is not stopping.</summary>
internal sealed class ReadyCheck(EngineHealth health) : IHealthCheck
{
    /// <summary>Its name.</summary>
    public const string Name = "quilt_ready";

    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult((health.Unreadiness ?? health.Sickness) is { } why
            ? new HealthCheckResult(context.Registration.FailureStatus, why) : HealthCheckResult.Healthy());
}
