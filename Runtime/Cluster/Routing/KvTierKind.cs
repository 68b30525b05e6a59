namespace Quilt.Cluster.Routing;

/// <summary>Where a replica holds a block, nearest first.</summary>
internal enum KvTierKind
{
    /// <summary>The memory that attention reads.</summary>
    Device,

    /// <summary>The host's memory.</summary>
    Host,

    /// <summary>A disk of the machine.</summary>
    Disk,

    /// <summary>Another machine.</summary>
    Remote,
}

/// <summary>What it costs to take a token from a tier, as a share of what computing it costs: 0 nothing, 1 as much.</summary>
internal sealed record TierCosts
{
    /// <summary>From the device.</summary>
    public double Device { get; init; }

    /// <summary>From the host's memory.</summary>
    public double Host { get; init; } = 0.05;

    /// <summary>From a disk.</summary>
    public double Disk { get; init; } = 0.2;

    /// <summary>From another machine.</summary>
    public double Remote { get; init; } = 0.3;

    /// <summary>The share for a tier.</summary>
    public double this[KvTierKind tier] => tier switch
    {
        KvTierKind.Device => Device,
        KvTierKind.Host => Host,
        KvTierKind.Disk => Disk,
        _ => Remote,
    };

    /// <summary>Checks ranges.</summary>
    /// <exception cref="ArgumentException">A share is not 0 to 1.</exception>
    public void Validate()
    {
        foreach (var tier in Enum.GetValues<KvTierKind>())
        {
            if (this[tier] is not (>= 0 and <= 1)) throw new ArgumentException($"TierCosts.{tier}: expected 0 to 1, found {this[tier]}.");
        }
    }
}
