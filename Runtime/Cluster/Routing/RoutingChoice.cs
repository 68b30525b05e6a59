namespace Quilt.Cluster.Routing;

/// <summary>Where a request goes, and why.</summary>
/// <param name="Replica">The replica; null where none can take it.</param>
/// <param name="Reason">Why this one.</param>
internal readonly record struct RoutingChoice(ReplicaState? Replica, RoutingReason Reason)
{
    /// <summary>How much of the prompt it is thought to have: tokens, or characters where a policy knows no tokens.</summary>
    public int Matched { get; init; }

    /// <summary>What an answer of status 503 says where there is no replica, e.g. PREFILL_SERVICE_UNAVAILABLE.</summary>
    public string? Code { get; init; }
}

/// <summary>Why a replica was chosen.</summary>
internal enum RoutingReason
{
    /// <summary>There is none that could take the request.</summary>
    NoReplica,

    /// <summary>It was its turn.</summary>
    Turn,

    /// <summary>The session belongs to it.</summary>
    Session,

    /// <summary>It has the fewest requests a second, or no figures.</summary>
    LeastQueries,

    /// <summary>It has the least to do.</summary>
    LeastLoad,

    /// <summary>It has the beginning of the prompt.</summary>
    Prefix,

    /// <summary>Nobody has it, and this one remembers the least.</summary>
    SmallestTree,

    /// <summary>Nobody has it, and its hash leads here.</summary>
    Hash,

    /// <summary>By chance.</summary>
    Random,

    /// <summary>It is the first that does what is asked for.</summary>
    Role,
}
