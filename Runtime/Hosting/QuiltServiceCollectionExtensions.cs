using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Quilt.Hosting.Models;
using Quilt.Hosting.Telemetry;

namespace Quilt.Hosting;

/// <summary>Quilt in a .NET host.</summary>
public static class QuiltServiceCollectionExtensions
{
    /// <summary>Adds models that are loaded when the host starts.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="configure">Says which models, and how they run.</param>
    public static IServiceCollection AddQuilt(this IServiceCollection services, Action<QuiltOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        services.AddOptions<QuiltOptions>().Configure(configure).ValidateOnStart();
        services.AddOptions<QuiltServerOptions>().ValidateOnStart();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(provider => provider.GetRequiredService<ModelWatch>().Attach(new ServedModels(
            provider.GetRequiredService<IOptions<QuiltOptions>>().Value, provider.GetRequiredService<TimeProvider>())));
        TelemetrySetup.Add(services);
        services.AddHostedService<ModelLoading>();
        return services;
    }
}
