using Microsoft.Extensions.Hosting;
using Quilt.Hosting.Models;

namespace Quilt.Hosting;

/// <summary>Loads the first model when the host starts, drops idle ones while it runs, closes all when it stops.</summary>
internal sealed class ModelLoading(ServedModels models, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(5);

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        if (models.All[0].IsPinned)
        {
            using var loaded = await models.UseAsync(null, cancellationToken).ConfigureAwait(false);
        }
        await base.StartAsync(cancellationToken).ConfigureAwait(false);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Look, time);
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false)) models.DropIdle();
    }
}
