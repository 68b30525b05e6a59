namespace Quilt.Cluster.Fabric;

/// <summary>
/// What is known of a model's replicas, by its name: how much each has to do and what it has cached. All of it is what they say themselves, again and
/// again, so it is lost without harm.
/// </summary>
internal interface IReplicaDirectory : IGrainWithStringKey
{
    /// <summary>A replica says how it is.</summary>
    /// <param name="report">How it is.</param>
    /// <param name="changes">What has changed in its cache since it last said so.</param>
    /// <returns>What is known of all of them, and whether the next time all of its cache is wanted.</returns>
    Task<DirectoryAnswer> Announce(ReplicaReport report, BlockChanges changes);

    /// <summary>
    /// Where a request should go: the best replica first, behind it those that are asked if it will not; none that is known to be lost.
    /// </summary>
    Task<ReplicaReport[]> Route(RouteQuestion question);

    /// <summary>A replica did not answer: it gets nothing until it speaks again.</summary>
    Task Suspect(SiloAddress silo);

    /// <summary>All replicas, and how many blocks each is known to have.</summary>
    Task<ReplicaSeen[]> List();
}

/// <summary>How a replica is, by itself.</summary>
[GenerateSerializer, Immutable]
internal sealed record ReplicaReport
{
    /// <summary>Its silo.</summary>
    [Id(0)]
    public required SiloAddress Silo { get; init; }

    /// <summary>Its process's name.</summary>
    [Id(1)]
    public required string Node { get; init; }

    /// <summary>The model's name.</summary>
    [Id(2)]
    public required string Model { get; init; }

    /// <summary>What the process does for others.</summary>
    [Id(3)]
    public ClusterRole Role { get; init; }

    /// <summary>Whether it takes nothing new.</summary>
    [Id(4)]
    public bool IsDraining { get; init; }

    /// <summary>Requests that run.</summary>
    [Id(5)]
    public int Running { get; init; }

    /// <summary>Requests that wait.</summary>
    [Id(6)]
    public int Waiting { get; init; }

    /// <summary>Blocks of its cache.</summary>
    [Id(7)]
    public int Blocks { get; init; }

    /// <summary>Of these, held by requests.</summary>
    [Id(8)]
    public int BlocksUsed { get; init; }

    /// <summary>Of these, such as can be found.</summary>
    [Id(9)]
    public int BlocksCached { get; init; }

    /// <summary>Part of the prompts' tokens that it found in its cache, from 0 to 1.</summary>
    [Id(10)]
    public double HitRate { get; init; }

    /// <summary>Tokens that it has generated.</summary>
    [Id(11)]
    public long GeneratedTokens { get; init; }

    /// <summary>Where its HTTP door is; null: it has none.</summary>
    [Id(12)]
    public string? Url { get; init; }

    /// <summary>Where it hands out blocks; null: it does not.</summary>
    [Id(13)]
    public string? KvAddress { get; init; }
}

/// <summary>A replica as the directory knows it.</summary>
/// <param name="Report">What it last said.</param>
/// <param name="KnownBlocks">Blocks that it is known to have cached.</param>
/// <param name="IsLost">Whether it has been silent for too long, or did not answer.</param>
[GenerateSerializer, Immutable]
internal sealed record ReplicaSeen([property: Id(0)] ReplicaReport Report, [property: Id(1)] int KnownBlocks, [property: Id(2)] bool IsLost);

/// <summary>What has changed in a cache.</summary>
/// <param name="Sequence">Which change it is, counted by the replica; 0: all there is, and what was said before is forgotten.</param>
/// <param name="Stored">Hashes that can be found now, 32 bytes each.</param>
/// <param name="Removed">Hashes that can be found no more.</param>
[GenerateSerializer, Immutable]
internal sealed record BlockChanges([property: Id(0)] long Sequence, [property: Id(1)] byte[] Stored, [property: Id(2)] byte[] Removed);

/// <summary>What the directory answers an announcement.</summary>
/// <param name="WantsAll">Whether the next changes must be all there is: what came before is not known here.</param>
/// <param name="Replicas">The model's replicas, for the time when the directory cannot be asked.</param>
[GenerateSerializer, Immutable]
internal sealed record DirectoryAnswer([property: Id(0)] bool WantsAll, [property: Id(1)] ReplicaReport[] Replicas);

/// <summary>What a choice of replica goes by.</summary>
[GenerateSerializer, Immutable]
internal sealed record RouteQuestion
{
    /// <summary>The hashes of the prompt's full blocks, 32 bytes each, in order.</summary>
    [Id(0)]
    public byte[] Blocks { get; init; } = [];

    /// <summary>Tokens of the prompt.</summary>
    [Id(1)]
    public int PromptTokens { get; init; }

    /// <summary>
    /// What is to be done: <see cref="ClusterRole.Prefill"/> reads the prompt only, <see cref="ClusterRole.Decode"/> writes the reply.
    /// </summary>
    [Id(2)]
    public ClusterRole Purpose { get; init; } = ClusterRole.Decode;

    /// <summary>The prompt's text, where the policy goes by it.</summary>
    [Id(3)]
    public string Text { get; init; } = "";

    /// <summary>What ties requests together; null: nothing.</summary>
    [Id(4)]
    public string? Session { get; init; }

    /// <summary>Most tokens of the reply; null: left open.</summary>
    [Id(5)]
    public int? MaxTokens { get; init; }
}
