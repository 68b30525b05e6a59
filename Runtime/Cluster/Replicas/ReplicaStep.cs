namespace Quilt.Cluster.Replicas;

/// <summary>What a step of a replica's engine brought a reply; without anything it says no more than that the replica lives.</summary>
[GenerateSerializer, Immutable]
internal sealed record ReplicaStep
{
    /// <summary>The tokens that were chosen, in order; mostly one.</summary>
    [Id(0)]
    public ReplicaToken[] Tokens { get; init; } = [];

    /// <summary>Tokens of the prompt that were found in the cache, in the step that has the first token; −1 elsewhere.</summary>
    [Id(1)]
    public int Cached { get; init; } = -1;

    /// <summary>How it ended; null while it goes on.</summary>
    [Id(2)]
    public ReplicaEnd? End { get; init; }
}

/// <summary>A token that was chosen.</summary>
/// <param name="Id">Its id.</param>
/// <param name="LogProbability">As of a token piece; NaN where not asked for.</param>
/// <param name="Random">Where the random numbers stand behind it.</param>
[GenerateSerializer, Immutable]
internal readonly record struct ReplicaToken([property: Id(0)] int Id, [property: Id(1)] float LogProbability, [property: Id(2)] ulong Random)
{
    /// <summary>Ids of the most likely tokens; null where not asked for.</summary>
    [Id(3)]
    public int[]? TopIds { get; init; }

    /// <summary>[<see cref="TopIds"/>] how likely they were.</summary>
    [Id(4)]
    public float[]? TopValues { get; init; }

    /// <summary>[tokens that were named] how likely they were; null where none are named.</summary>
    [Id(5)]
    public float[]? Asked { get; init; }
}

/// <summary>The end of a reply at a replica.</summary>
/// <param name="Kind">What kind of end it is.</param>
/// <param name="Reason">The engine's own reason (<see cref="Runtime.FinishReason"/>), where it has one.</param>
/// <param name="Message">What failed; null where nothing did.</param>
[GenerateSerializer, Immutable]
internal sealed record ReplicaEnd([property: Id(0)] ReplicaEndKind Kind, [property: Id(1)] int Reason, [property: Id(2)] string? Message);

/// <summary>Kinds of ends.</summary>
internal enum ReplicaEndKind
{
    /// <summary>The engine's own: the reply is whole, or was cancelled, or its time was up.</summary>
    Finished,

    /// <summary>It was not begun: the replica is full, or takes nothing new. Another may.</summary>
    Refused,

    /// <summary>The request itself failed, and would elsewhere.</summary>
    RequestFailed,

    /// <summary>The replica's engine failed, or was closed.</summary>
    ReplicaFailed,
}
