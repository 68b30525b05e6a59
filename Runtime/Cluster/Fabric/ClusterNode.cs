using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;
using Quilt.Cluster.Replies;
using Quilt.Cluster.Replicas;
using Quilt.Cluster.Transfer;
using Quilt.Hosting.Models;
using Quilt.Runtime;

namespace Quilt.Cluster.Fabric;

/// <summary>
/// This process among the others: it says how its replicas are, again and again, and sends what its own door takes where it should go.
/// </summary>
internal sealed partial class ClusterNode(
    LocalReplicas replicas, ClusterOptions options, IGrainFactory grains, ILocalSiloDetails silo, ReplyRouter router, KvPeers peers,
    ILogger<ClusterNode> logger)
    : BackgroundService
{
    private readonly Dictionary<ServedModel, (Engine Engine, BlockFeed Feed)> feeds = [];
    private bool isQuiet;

    /// <summary>Says that nothing new is taken, at once.</summary>
    public Task DrainAsync()
    {
        replicas.Drain(true);
        return AnnounceAllAsync();
    }

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        try
        {
            await DrainAsync().WaitAsync(TimeSpan.FromSeconds(1), cancellationToken).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // The others find out by themselves.
        catch (Exception)
#pragma warning restore CA1031
        {
        }
        await base.StopAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        foreach (var model in replicas.Models.All) model.Submit = (engine, request, cancel) => router.Submit(model.Name, engine, request, cancel);
        using var timer = new PeriodicTimer(options.AnnounceInterval);
        try
        {
            do await AnnounceAllAsync().ConfigureAwait(false);
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
            // The end of the process.
        }
    }

    private async Task AnnounceAllAsync()
    {
        foreach (var model in replicas.Models.All)
        {
            if (model.Engine is not { Failure: null } engine) continue;
            try
            {
                await AnnounceAsync(model, engine).WaitAsync(options.Silence).ConfigureAwait(false);
                isQuiet = false;
            }
#pragma warning disable CA1031 // The directory is gone for now, or the engine: the next time.
            catch (Exception thrown)
#pragma warning restore CA1031
            {
                if (!isQuiet) NotHeard(model.Name, thrown.Message);
                isQuiet = true;
            }
        }
    }

    private async Task AnnounceAsync(ServedModel model, Engine engine)
    {
        if (!feeds.TryGetValue(model, out var known) || known.Engine != engine)
            feeds[model] = known = (engine, await BlockFeed.OpenAsync(engine).ConfigureAwait(false));
        var now = engine.Snapshot();
        var report = new ReplicaReport
        {
            Silo = silo.SiloAddress, Node = options.NodeName ?? silo.Name, Model = model.Name, Role = options.Role,
            IsDraining = replicas.IsDraining, Running = now.Running, Waiting = now.Waiting, Blocks = now.Blocks, BlocksUsed = now.BlocksUsed,
            BlocksCached = now.BlocksCached, HitRate = now.HitRate, GeneratedTokens = now.GeneratedTokens, Url = options.Url,
            KvAddress = peers.Address,
        };
        var changes = await known.Feed.TakeAsync().ConfigureAwait(false);
        try
        {
            var answer = await grains.GetGrain<IReplicaDirectory>(model.Name).Announce(report, changes).ConfigureAwait(false);
            router.Known(model.Name, answer.Replicas);
            if (answer.WantsAll) known.Feed.Restart();
        }
        catch
        {
            // Whether it heard is not known.
            known.Feed.Restart();
            throw;
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "The directory of the model {Model} does not hear this process: {Why}")]
    private partial void NotHeard(string model, string why);
}
