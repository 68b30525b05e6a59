using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Quilt.Hosting.Telemetry;

/// <summary>Whether the process should be left alone: engines work, and those that have requests make steps.</summary>
internal sealed class LiveCheck(EngineHealth health) : IHealthCheck
{
    /// <summary>Its name.</summary>
    public const string Name = "quilt_live";

    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(health.Sickness is { } why ? new HealthCheckResult(context.Registration.FailureStatus, why) : HealthCheckResult.Healthy());
}
