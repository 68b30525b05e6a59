using System.Runtime.CompilerServices;
using Orleans.Concurrency;
using Quilt.Cluster.Fabric;

namespace Quilt.Cluster.Replicas;

/// <inheritdoc cref="IReplicaGrain"/>
[Reentrant, OwnSiloPlacement]
internal sealed class ReplicaGrain(LocalReplicas replicas) : Grain, IReplicaGrain
{
    /// <inheritdoc/>
    public async IAsyncEnumerable<ReplicaStep> Generate(ReplicaRequest request, [EnumeratorCancellation] CancellationToken cancel)
    {
        var (model, _) = ReplicaKey.Parse(this.GetPrimaryKeyString());
        await foreach (var step in replicas.Generate(model, request, cancel)) yield return step;
    }
}
