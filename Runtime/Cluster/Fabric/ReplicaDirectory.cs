using Orleans.Concurrency;

namespace Quilt.Cluster.Fabric;

/// <inheritdoc cref="IReplicaDirectory"/>
[Reentrant]
internal sealed class ReplicaDirectory(ClusterOptions options, TimeProvider time) : Grain, IReplicaDirectory
{
    private readonly ReplicaTable table = new(options, time);

    /// <inheritdoc/>
    public Task<DirectoryAnswer> Announce(ReplicaReport report, BlockChanges changes)
    {
        var wantsAll = !table.Take(report, changes);
        return Task.FromResult(new DirectoryAnswer(wantsAll, table.Live()));
    }

    /// <inheritdoc/>
    public Task<ReplicaReport[]> Route(RouteQuestion question) => Task.FromResult(table.Order(question));

    /// <inheritdoc/>
    public Task Suspect(SiloAddress silo)
    {
        table.Suspect(silo);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task<ReplicaSeen[]> List() => Task.FromResult(table.All());
}
