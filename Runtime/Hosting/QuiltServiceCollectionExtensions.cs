using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Quilt.Hosting.Models;

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
        services.TryAddSingleton(provider => new ServedModels(
            provider.GetRequiredService<IOptions<QuiltOptions>>().Value, provider.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton<QuiltServer>();
        services.AddHostedService<ModelLoading>();
        return services;
    }
}
