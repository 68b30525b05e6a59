namespace Quilt.Cluster.Routing;

/// <summary>What went wrong at a replica.</summary>
internal enum ReplicaFailure
{
    /// <summary>It could not be reached, or was lost.</summary>
    Connection,

    /// <summary>It answered, with an error: another one would say the same.</summary>
    Answer,
}

/// <summary>
/// Where one request goes, and where it goes next if a replica is lost before it gave the first byte of its answer. No replica is tried twice.
/// </summary>
/// <param name="policy">Who chooses.</param>
/// <param name="request">What is to be done.</param>
/// <param name="maxReroutes">How often it may go elsewhere.</param>
internal sealed class Failover(RoutingPolicy policy, RoutingRequest request, int maxReroutes)
{
    private readonly HashSet<string> tried = new(StringComparer.Ordinal);

    /// <summary>Replicas it was sent to.</summary>
    public IReadOnlySet<string> Tried => tried;

    /// <summary>The first choice, or the next one; without a replica where all were tried, or as often as may be.</summary>
    public RoutingChoice Next(IReadOnlyList<ReplicaState> replicas)
    {
        if (tried.Count > maxReroutes) return new(null, RoutingReason.NoReplica) { Code = "NO_RETRY_LEFT" };
        var choice = policy.Pick(request, replicas, tried.Count > 0 ? tried : null);
        if (choice.Replica is not null) tried.Add(choice.Replica.Name);
        return choice;
    }

    /// <summary>Whether the request may go elsewhere after a failure.</summary>
    /// <param name="failure">What went wrong.</param>
    /// <param name="begun">Whether the caller has a byte of the answer.</param>
    public bool MayRetry(ReplicaFailure failure, bool begun) => failure == ReplicaFailure.Connection && !begun && tried.Count <= maxReroutes;
}
