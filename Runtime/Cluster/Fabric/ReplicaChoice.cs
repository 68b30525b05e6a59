namespace Quilt.Cluster.Fabric;

/// <summary>A replica that may be asked.</summary>
/// <param name="Report">What it says of itself.</param>
/// <param name="Matched">Leading blocks of the prompt that it has.</param>
/// <param name="Load">Requests that it has.</param>
internal readonly record struct ReplicaCandidate(ReplicaReport Report, int Matched, int Load);

/// <summary>Puts replicas in the order in which they are asked.</summary>
internal sealed class ReplicaChoice
{
    /// <summary>Blocks of a prompt whose reading costs about as much as waiting behind one more request.</summary>
    private const int BlocksOfARequest = 8;

    private int turn;

    /// <summary>The order by a policy (<see cref="ClusterOptions.Policies"/>).</summary>
    public ReplicaReport[] Order(string policy, RouteQuestion question, ReplicaCandidate[] candidates)
    {
        if (candidates.Length == 0) return [];
        var byNode = candidates.OrderBy(one => one.Report.Node, StringComparer.Ordinal).ToArray();
        var start = turn++ % byNode.Length;
        var rotated = byNode.Skip(start).Concat(byNode.Take(start));
        if (policy == "roundrobin") return [.. rotated.Select(one => one.Report)];
        // Blocks that need not be computed, against requests that come before; among equals whose turn it is.
        return [.. rotated.OrderByDescending(one => one.Matched - (BlocksOfARequest * one.Load)).Select(one => one.Report)];
    }
}
