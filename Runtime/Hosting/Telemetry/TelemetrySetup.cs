using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Quilt.Hosting.Telemetry;

/// <summary>Meters, traces, logs and health checks of a host.</summary>
internal static class TelemetrySetup
{
    /// <summary>Adds them; whoever reads them is the host's affair.</summary>
    public static void Add(IServiceCollection services)
    {
        services.AddMetrics();
        services.AddLogging();
        services.TryAddSingleton<ServerMeter>();
        services.TryAddSingleton<ModelWatch>();
        services.TryAddSingleton<RequestTracing>();
        services.TryAddSingleton<RefusalLog>();
        services.TryAddSingleton<FailureLog>();
        services.TryAddSingleton<EngineHealth>();
        services.TryAddSingleton<MetricsEndpoint>();
        if (services.Any(service => service.ServiceType == typeof(HostLog))) return;
        services.TryAddSingleton<HostLog>();
        services.AddHealthChecks().AddCheck<LiveCheck>(LiveCheck.Name, tags: ["live"]).AddCheck<ReadyCheck>(ReadyCheck.Name, tags: ["ready"]);
        services.AddHostedService(provider => provider.GetRequiredService<HostLog>());
    }
}
