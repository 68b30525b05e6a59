using Quilt.Runtime.Kv;

namespace Quilt.Cluster.Routing;

/// <summary>
/// What has changed in one tier of a replica's cache since its last announcement. Applied in this order: cleared, removed, stored.
/// </summary>
/// <param name="Replica">Whose cache.</param>
/// <param name="Generation">
/// Rises with every start of the replica: what an earlier one announced is void, and what it still announces is ignored.
/// </param>
/// <param name="Tier">Which tier.</param>
internal sealed record BlockAnnouncement(string Replica, long Generation, KvTierKind Tier = KvTierKind.Device)
{
    /// <summary>Whether the tier holds nothing any more.</summary>
    public bool Cleared { get; init; }

    /// <summary>Blocks that are no longer there.</summary>
    public IReadOnlyList<BlockHash> Removed { get; init; } = [];

    /// <summary>Blocks that are there now.</summary>
    public IReadOnlyList<BlockHash> Stored { get; init; } = [];
}
