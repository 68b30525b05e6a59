using Quilt.Cluster.Routing;
using Quilt.Runtime.Kv;

namespace Quilt.Tests.Cluster.Routing;

/// <summary>A router in front of thousands of requests a second leaves nothing to the collector.</summary>
public sealed class RoutingAllocationTests
{
    [TestCaseSource(typeof(RoutingPolicies), nameof(RoutingPolicies.Names))]
    public void A_pick_among_known_replicas_allocates_nothing(string name)
    {
        BlockHash[] prompt = [.. Enumerable.Range(1, 50).Select(i => new BlockHash((ulong)i, 0, 0, 0))];
        var directory = new BlockDirectory();
        var policy = RoutingPolicies.Named(name, new RoutingOptions { Directory = directory });
        ReplicaState[] replicas = [.. Enumerable.Range(0, 20).Select(i => Replicas.Of($"r{i}", qps: i))];
        foreach (var replica in replicas) directory.Announce(new(replica.Name, 1) { Stored = prompt });
        RoutingRequest[] requests =
            [Request(prompt, "s"), Request([], null), Request(prompt[..10], null), Request([new BlockHash(99, 0, 0, 0)], "t")];
        for (var i = 0; i < 200; i++) Pick();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) Pick();
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);

        void Pick()
        {
            foreach (var request in requests) policy.Pick(request, replicas);
        }

        static RoutingRequest Request(BlockHash[] blocks, string? session) =>
            Replicas.Request(new string('x', blocks.Length * 64), session) with { Blocks = blocks, Tokens = blocks.Length * 16 };
    }
}
