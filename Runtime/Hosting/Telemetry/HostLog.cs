using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Quilt.Hosting.Models;

namespace Quilt.Hosting.Telemetry;

/// <summary>Says when the host serves, and when it stops.</summary>
internal sealed class HostLog(ServedModels models, IHostApplicationLifetime lifetime, ILoggerFactory loggers) : IHostedService
{
    private readonly ILogger logger = loggers.CreateLogger(Log.Category);

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        lifetime.ApplicationStarted.Register(() => Log.HostStarted(logger, string.Join(", ", models.All.SelectMany(model => model.Names))));
        lifetime.ApplicationStopping.Register(() => Log.HostStopping(logger));
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
