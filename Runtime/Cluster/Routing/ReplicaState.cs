namespace Quilt.Cluster.Routing;

/// <summary>What a replica does for others.</summary>
internal enum ReplicaRole
{
    /// <summary>Reads prompts and writes replies.</summary>
    Both,

    /// <summary>Reads prompts whose replies are written elsewhere.</summary>
    Prefill,

    /// <summary>Writes replies; it can read a prompt itself where nobody does it for it.</summary>
    Decode,
}

/// <summary>
/// One replica as a router sees it. The load may be changed between picks, by reports of the replica or by who counts what was sent to it; who
/// changes it while another thread picks gets a choice by the old or the new number.
/// </summary>
internal sealed class ReplicaState
{
    /// <summary>Its name or address, one of a kind in the cluster.</summary>
    public required string Name { get; init; }

    /// <summary>The model it serves.</summary>
    public required string Model { get; init; }

    /// <summary>What it does.</summary>
    public ReplicaRole Role { get; init; }

    /// <summary>Most sequences it runs at a time.</summary>
    public int Capacity { get; init; } = 256;

    /// <summary>Sequences it runs.</summary>
    public int Running { get; set; }

    /// <summary>Requests that wait there.</summary>
    public int Waiting { get; set; }

    /// <summary>Tokens of prompts that it has still to compute.</summary>
    public long QueuedTokens { get; set; }

    /// <summary>Requests a second in the last minute; null where there are no figures, which counts as idle.</summary>
    public double? QueriesPerSecond { get; set; }

    /// <summary>Whether it answers.</summary>
    public bool Alive { get; set; } = true;

    /// <summary>Whether it ends what it has and takes nothing new.</summary>
    public bool Draining { get; set; }

    /// <summary>Requests it has, running or waiting.</summary>
    public int Load => Running + Waiting;

    /// <summary>Whether it can be chosen for a request.</summary>
    public bool Takes(RoutingRequest request, ReplicaRole role) =>
        Alive && !Draining && (Role == ReplicaRole.Both || Role == role) && string.Equals(Model, request.Model, StringComparison.Ordinal);
}
