using Microsoft.Extensions.AI;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Quilt.Hosting.Models;
using Quilt.Hosting.Telemetry;
using Quilt.Runtime;

namespace Quilt.Hosting;

/// <summary>Quilt in a .NET host.</summary>
public static class QuiltServiceCollectionExtensions
{
    /// <summary>
    /// Adds models that are loaded when the host starts, and what makes use of them: <see cref="IChatClient"/> (of the first model; by the key of its
    /// name, of any), <see cref="QuiltChatClient"/> to build pipelines on, and <see cref="Engine"/>, once the host has started.
    /// </summary>
    /// <param name="services">The host's services.</param>
    /// <param name="configure">Says which models, and how they run. Options are checked when the host starts.</param>
    /// <example><code>
    /// builder.Services.AddQuilt(o => o.Model = "/models/tiny");
    /// builder.Services.AddChatClient(s => s.GetRequiredService&lt;QuiltChatClient>()).UseFunctionInvocation();
    /// </code></example>
    public static IServiceCollection AddQuilt(this IServiceCollection services, Action<QuiltOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        services.AddOptions<QuiltOptions>().Configure(configure).ValidateOnStart();
        return services.AddParts();
    }

    /// <summary>The same by the host's configuration, a section whose keys are the names of <see cref="QuiltOptions"/>; others are refused.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="configuration">The section.</param>
    /// <inheritdoc cref="AddQuilt(IServiceCollection, Action{QuiltOptions})"/>
    public static IServiceCollection AddQuilt(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddOptions<QuiltOptions>().Bind(configuration, binding => binding.ErrorOnUnknownConfiguration = true).ValidateOnStart();
        return services.AddParts();
    }

    /// <summary>Says how the models are served over HTTP (<see cref="QuiltEndpointRouteBuilderExtensions.MapQuilt"/>).</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="configure">Who may ask, how much, and in what form. Options are checked when the host starts.</param>
    public static IServiceCollection AddQuiltServer(this IServiceCollection services, Action<QuiltServerOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        services.Configure(configure);
        return services;
    }

    private static IServiceCollection AddParts(this IServiceCollection services)
    {
        services.AddOptions<QuiltServerOptions>().ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<QuiltOptions>, QuiltOptionsChecks>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<QuiltServerOptions>, QuiltServerOptionsChecks>());
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(provider => provider.GetRequiredService<ModelWatch>().Attach(new ServedModels(
            provider.GetRequiredService<IOptions<QuiltOptions>>().Value, provider.GetRequiredService<TimeProvider>())));
        TelemetrySetup.Add(services);
        services.TryAddSingleton<QuiltServer>();
        services.TryAddSingleton<Http.Door>();
        services.TryAddSingleton<Http.Preparation>();
        services.TryAddSingleton<OpenAi.Responses.ResponseStore>();
        services.AddHostedService<ModelLoading>();
        services.TryAddSingleton(provider => provider.GetRequiredService<ServedModels>().All[0] is { IsPinned: true, Engine: { } engine }
            ? engine
            : throw new InvalidOperationException("There is no engine: it is loaded when the host starts, where QuiltOptions.Model is set."));
        services.TryAddSingleton(provider => ClientOf(provider, null));
        services.TryAddSingleton<IChatClient>(provider => provider.GetRequiredService<QuiltChatClient>());
        services.TryAddKeyedSingleton<IChatClient>(KeyedService.AnyKey, (provider, key) => ClientOf(provider, key as string));
        return services;
    }

    private static QuiltChatClient ClientOf(IServiceProvider provider, string? model)
    {
        var models = provider.GetRequiredService<ServedModels>();
        if (model is not null && !models.All.Any(one => one.Names.Contains(model, StringComparer.Ordinal)))
        {
            throw new InvalidOperationException(
                $"There is no chat client '{model}': the models are {string.Join(", ", models.All.SelectMany(one => one.Names))}.");
        }
        var variables = provider.GetRequiredService<IOptions<QuiltServerOptions>>().Value.TemplateVariables;
        return new QuiltChatClient(models, model, provider.GetRequiredService<TimeProvider>(), variables);
    }
}
