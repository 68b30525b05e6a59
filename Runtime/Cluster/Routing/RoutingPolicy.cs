namespace Quilt.Cluster.Routing;

/// <summary>
/// Decides which replica gets a request. One instance a model, for any number of threads. Whoever is dead, drains, serves another model or has
/// another role is taken out before a policy sees the replicas, so that no policy can choose it.
/// </summary>
internal abstract class RoutingPolicy
{
    private readonly Lock gate = new();
    private readonly Roster roster = new();

    /// <summary>The name it is asked for by.</summary>
    public abstract string Name { get; }

    /// <summary>Chooses a replica.</summary>
    /// <param name="request">What is to be done.</param>
    /// <param name="replicas">All replicas there are; their order does not matter.</param>
    /// <param name="except">Names that do not come into question, because they were tried.</param>
    /// <returns>The choice; without a replica where none can take the request.</returns>
    public RoutingChoice Pick(RoutingRequest request, IReadOnlyList<ReplicaState> replicas, IReadOnlySet<string>? except = null)
    {
        lock (gate)
        {
            var role = RoleFor(request);
            roster.Fill(request, role, replicas, except);
            return roster.Count == 0 ? new RoutingChoice(null, RoutingReason.NoReplica) { Code = CodeWithout(role) } : Choose(request, roster);
        }
    }

    /// <summary>The role that a request needs.</summary>
    protected virtual ReplicaRole RoleFor(RoutingRequest request) => request.Role;

    /// <summary>What an answer of status 503 says where nobody has a role.</summary>
    protected virtual string CodeWithout(ReplicaRole role) => "SERVICE_UNAVAILABLE";

    /// <summary>Chooses among replicas that can take the request; there is at least one. One thread at a time.</summary>
    protected abstract RoutingChoice Choose(RoutingRequest request, Roster roster);
}
