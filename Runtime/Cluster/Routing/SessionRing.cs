using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace Quilt.Cluster.Routing;

/// <summary>
/// Sessions on a ring of hashes: each replica has many points on it, a session belongs to the next point. Where a replica leaves only its own
/// sessions move.
/// </summary>
internal sealed class SessionRing
{
    /// <summary>Points of a replica; with so many the shares of replicas differ by about a tenth.</summary>
    private const int Points = 128;

    private ulong[] hashes = [];
    private int[] places = [];
    private int version = -1;

    /// <summary>The replica of a request's session, or the least busy one where it has none.</summary>
    public RoutingChoice Choose(RoutingRequest request, Roster roster)
    {
        if (request.Session is not { } session) return new(LeastQueries(roster), RoutingReason.LeastQueries);
        if (version != roster.Version) Build(roster);
        var at = Array.BinarySearch(hashes, XxHash64.HashToUInt64(MemoryMarshal.AsBytes(session.AsSpan())));
        if (at < 0) at = ~at;
        return new(roster[places[at == hashes.Length ? 0 : at]], RoutingReason.Session);
    }

    /// <summary>The replica with the fewest requests a second; one without figures counts as idle and is taken at once.</summary>
    public static ReplicaState LeastQueries(Roster roster)
    {
        var least = roster[0];
        for (var i = 0; i < roster.Count; i++)
        {
            if (roster[i].QueriesPerSecond is not { } queries) return roster[i];
            if (queries < least.QueriesPerSecond) least = roster[i];
        }
        return least;
    }

    private void Build(Roster roster)
    {
        (hashes, places) = (new ulong[roster.Count * Points], new int[roster.Count * Points]);
        for (var i = 0; i < hashes.Length; i++)
        {
            places[i] = i / Points;
            hashes[i] = XxHash64.HashToUInt64(MemoryMarshal.AsBytes(roster[places[i]].Name.AsSpan()), seed: i % Points);
        }
        Array.Sort(hashes, places);
        version = roster.Version;
    }
}
