using Quilt.Cluster.Routing;

namespace Quilt.Cluster.Simulation;

/// <summary>A cluster that could be bought: replicas of one model, all alike.</summary>
internal sealed record ClusterSpec
{
    /// <summary>What a step takes.</summary>
    public required CostModel Cost { get; init; }

    /// <summary>Replicas.</summary>
    public int Replicas { get; init; } = 8;

    /// <summary>Most sequences that a replica runs at a time.</summary>
    public int Sequences { get; init; } = 256;

    /// <summary>Tokens of keys and values that a replica holds.</summary>
    public int KvTokens { get; init; } = 196_608;

    /// <summary>Tokens in a block.</summary>
    public int BlockTokens { get; init; } = 16;

    /// <summary>Most tokens of a step.</summary>
    public int BatchedTokens { get; init; } = 8192;

    /// <summary>How long a step with replies may take, in seconds; 0: any time.</summary>
    public double StepSeconds { get; init; }

    /// <summary>How long what changes in a cache is gathered before it is announced, in seconds.</summary>
    public double AnnounceSeconds { get; init; } = 0.1;

    /// <summary>What a replica costs an hour, in any currency.</summary>
    public double PricePerHour { get; init; }

    /// <summary>Settings of the policies; the directory, the clock and the block size are the simulation's.</summary>
    public RoutingOptions Routing { get; init; } = new();

    /// <summary>Checks ranges.</summary>
    /// <exception cref="ArgumentException">A value is out of its range; the message names it.</exception>
    public void Validate()
    {
        Check(nameof(Replicas), Replicas, 1, 100_000);
        Check(nameof(Sequences), Sequences, 1, 1 << 20);
        Check(nameof(BlockTokens), BlockTokens, 1, 1 << 16);
        Check(nameof(KvTokens), KvTokens, BlockTokens, 1 << 28);
        Check(nameof(BatchedTokens), BatchedTokens, Sequences, 1 << 24);
        Check(nameof(StepSeconds), StepSeconds, 0, 3600);
        Check(nameof(AnnounceSeconds), AnnounceSeconds, 0, 3600);
        Check(nameof(PricePerHour), PricePerHour, 0, 1e9);
        Routing.Validate();
    }

    private static void Check(string name, double value, double least, double most)
    {
        if (!(value >= least && value <= most)) throw new ArgumentException($"{name}: expected {least} to {most}, found {value}.");
    }
}
