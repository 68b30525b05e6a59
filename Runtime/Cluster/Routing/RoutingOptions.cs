namespace Quilt.Cluster.Routing;

/// <summary>Settings of the policies, each by the default of the router it comes from.</summary>
internal sealed record RoutingOptions
{
    /// <summary>Who holds which blocks; what <c>prefix</c> and <c>kvaware</c> go by.</summary>
    public BlockDirectory Directory { get; init; } = new();

    /// <summary>Tokens in a block.</summary>
    public int BlockTokens { get; init; } = 16;

    /// <summary>Draws of chance follow from it.</summary>
    public int Seed { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary><c>prefix</c>: what a token from a tier costs, as a share of computing it (device, host, disk, remote).</summary>
    public TierCosts TierCosts { get; init; } = new();

    /// <summary><c>prefix</c>: tokens of a prompt that a running or waiting sequence weighs as much as.</summary>
    public int SequenceTokens { get; init; } = 32;

    /// <summary>
    /// <c>prefix</c>: with so much to do at the idlest replica, as tokens of prompts, a token that need not be computed counts twice, with twice as
    /// much three times, and so on; 0: always once.
    /// </summary>
    public int BusyTokens { get; init; } = 2048;

    /// <summary><c>prefixaware</c>: characters that must match; fewer go to the replica with the fewest requests a second.</summary>
    public int MinMatchCharacters { get; init; }

    /// <summary><c>prefixaware</c>: characters that are hashed together.</summary>
    public int ChunkCharacters { get; init; } = 128;

    /// <summary><c>prefixaware</c>: most nodes it remembers; with more it starts anew.</summary>
    public int MaxTrieNodes { get; init; } = 1 << 20;

    /// <summary><c>kvaware</c>: with so many tokens missing a match counts for nothing.</summary>
    public int KvThreshold { get; init; } = 2000;

    /// <summary><c>cache_aware</c>: a match counts above this share of the text.</summary>
    public double CacheThreshold { get; init; } = 0.3;

    /// <summary><c>cache_aware</c>: loads are uneven where they differ by more than this …</summary>
    public int BalanceAbsolute { get; init; } = 64;

    /// <summary><c>cache_aware</c>: … and by more than this factor.</summary>
    public double BalanceRelative { get; init; } = 1.5;

    /// <summary><c>cache_aware</c>: characters that are remembered of a replica after each eviction.</summary>
    public long MaxTreeCharacters { get; init; } = 67_108_864;

    /// <summary><c>cache_aware</c>: time from eviction to eviction.</summary>
    public TimeSpan EvictionInterval { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>Checks ranges.</summary>
    /// <exception cref="ArgumentException">A value is out of its range; the message names it.</exception>
    public void Validate()
    {
        Check(nameof(BlockTokens), BlockTokens, 1);
        Check(nameof(SequenceTokens), SequenceTokens, 0);
        Check(nameof(BusyTokens), BusyTokens, 0);
        Check(nameof(MinMatchCharacters), MinMatchCharacters, 0);
        Check(nameof(ChunkCharacters), ChunkCharacters, 1);
        Check(nameof(MaxTrieNodes), MaxTrieNodes, 1);
        Check(nameof(KvThreshold), KvThreshold, 0);
        Check(nameof(BalanceAbsolute), BalanceAbsolute, 0);
        Check(nameof(MaxTreeCharacters), MaxTreeCharacters, 0);
        if (CacheThreshold is not (>= 0 and <= 1)) throw new ArgumentException($"CacheThreshold: expected 0 to 1, found {CacheThreshold}.");
        if (!(BalanceRelative >= 0)) throw new ArgumentException($"BalanceRelative: expected at least 0, found {BalanceRelative}.");
        if (EvictionInterval <= TimeSpan.Zero) throw new ArgumentException($"EvictionInterval: expected more than zero, found {EvictionInterval}.");
        TierCosts.Validate();
    }

    private static void Check(string name, long value, long least)
    {
        if (value < least) throw new ArgumentException($"{name}: expected at least {least}, found {value}.");
    }
}
