namespace Quilt.Runtime;

/// <summary>Tokens whose keys and values came out of the tiers behind the cache, by tier.</summary>
/// <param name="Host">Out of the host's memory (<see cref="EngineOptions.KvHostMemory"/>).</param>
/// <param name="Disk">Out of a file (<see cref="EngineOptions.KvDisk"/>).</param>
/// <param name="Remote">Out of another process.</param>
public readonly record struct TierTokens(long Host, long Disk, long Remote)
{
    /// <summary>All of them.</summary>
    public long Total => Host + Disk + Remote;

    /// <summary>The sum of both, tier by tier.</summary>
    public static TierTokens operator +(TierTokens a, TierTokens b) => Add(a, b);

    /// <summary>The sum of both, tier by tier.</summary>
    public static TierTokens Add(TierTokens a, TierTokens b) => new(a.Host + b.Host, a.Disk + b.Disk, a.Remote + b.Remote);
}
