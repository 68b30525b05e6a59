namespace Quilt.Cluster.Routing;

/// <summary><c>session</c>: a session stays with one replica; who comes without one goes to the replica with the fewest requests a second.</summary>
internal sealed class SessionPolicy : RoutingPolicy
{
    private readonly SessionRing ring = new();

    /// <inheritdoc/>
    public override string Name => "session";

    /// <inheritdoc/>
    protected override RoutingChoice Choose(RoutingRequest request, Roster roster) => ring.Choose(request, roster);
}
