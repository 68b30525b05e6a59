namespace Quilt.Cluster.Routing;

/// <summary><c>roundrobin</c>: each in its turn, by name.</summary>
internal sealed class RoundRobinPolicy : RoutingPolicy
{
    private Turns turns;

    /// <inheritdoc/>
    public override string Name => "roundrobin";

    /// <inheritdoc/>
    protected override RoutingChoice Choose(RoutingRequest request, Roster roster) => new(turns.Next(roster), RoutingReason.Turn);
}

/// <summary>Whose turn it is.</summary>
internal struct Turns
{
    private uint count;

    /// <summary>The next one.</summary>
    public ReplicaState Next(Roster roster) => roster[(int)(count++ % (uint)roster.Count)];
}
