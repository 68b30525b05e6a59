using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Quilt.Hosting.Telemetry;

namespace Quilt.Cli.Serve;

/// <summary>Sends meters and traces to a collector (OTLP) where OpenTelemetry's variables name one; else nothing of it is there.</summary>
internal static class OpenTelemetryExport
{
    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";
    private const string MetricsEndpoint = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT";
    private const string TracesEndpoint = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";

    /// <summary>Adds what the environment asks for. Protocol, headers, intervals and sampling are OpenTelemetry's own variables too.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="environment">The host's configuration, which holds the environment's variables.</param>
    /// <param name="version">The program's version, as <c>service.version</c>.</param>
    /// <returns>Whether anything is sent.</returns>
    public static bool Add(IServiceCollection services, IConfiguration environment, string version)
    {
        var metrics = IsSet(environment, Endpoint) || IsSet(environment, MetricsEndpoint);
        var traces = IsSet(environment, Endpoint) || IsSet(environment, TracesEndpoint);
        if ((!metrics && !traces) || string.Equals(environment["OTEL_SDK_DISABLED"], "true", StringComparison.OrdinalIgnoreCase)) return false;
        // The environment's own OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES come last, and count.
        var telemetry = services.AddOpenTelemetry().ConfigureResource(resource => resource.Clear().AddService("quilt", serviceVersion: version)
            .AddTelemetrySdk().AddEnvironmentVariableDetector());
        if (metrics)
        {
            telemetry.WithMetrics(meters => meters
                .AddMeter(TelemetryNames.Source, "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime")
                .AddOtlpExporter());
        }
        if (traces)
        {
            telemetry.WithTracing(spans => spans.AddSource(TelemetryNames.Source, "Microsoft.AspNetCore").AddOtlpExporter());
            services.AddSingleton<IStartupFilter, HttpSpans>();
        }
        return true;
    }

    private static bool IsSet(IConfiguration environment, string name) => !string.IsNullOrWhiteSpace(environment[name]);
}
