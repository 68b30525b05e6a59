using Orleans.Placement;
using Orleans.Runtime.Placement;
using Quilt.Cluster.Replicas;

namespace Quilt.Cluster.Fabric;

/// <summary>
/// Places a replica's grain in the silo that its key names: where that is gone there is no such replica, and nobody takes its place.
/// </summary>
internal sealed class OwnSiloDirector : IPlacementDirector
{
    /// <inheritdoc/>
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var silo = ReplicaKey.Parse(target.GrainIdentity.Key.ToString()!).Silo;
        return context.GetCompatibleSilos(target).Contains(silo)
            ? Task.FromResult(silo)
            : throw new SiloUnavailableException($"The silo {silo} of this replica is not in the cluster.");
    }
}

/// <inheritdoc cref="OwnSiloDirector"/>
[Serializable]
internal sealed class OwnSiloStrategy : PlacementStrategy;

/// <inheritdoc cref="OwnSiloDirector"/>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class OwnSiloPlacementAttribute() : PlacementAttribute(new OwnSiloStrategy());
