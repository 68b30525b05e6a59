using CsCheck;
using Quilt.Cluster.Routing;
using Quilt.Runtime.Kv;

namespace Quilt.Tests.Cluster.Routing;

/// <summary>The directory of blocks and the policies over it against a model that keeps plain sets.</summary>
public sealed class BlockDirectoryTests
{
    private const int Names = 4;
    private static readonly string[] Tenants = ["alice", "bob"];
    private static readonly TierCosts Costs = new();

    // Prompts share beginnings within a tenant: [tenant][text][block].
    private static readonly BlockHash[][][] Prompts = [.. Tenants.Select(tenant => (BlockHash[][])[.. Enumerable.Range(0, 3).Select(text =>
        Chain(tenant, [1, 2, 3 + (text / 2), 4 + text]))])];

    /// <summary>What happens: to whom, with which prompt's blocks.</summary>
    private sealed record Event(int What, int Who, int Tenant, int Text, int From, int To, KvTierKind Tier);

    private static readonly Gen<Event> Events = Gen.Select(Gen.Int[0, 9], Gen.Int[0, Names - 1], Gen.Int[0, 1], Gen.Int[0, 2], Gen.Int[0, 3],
        Gen.Int[1, 4], Gen.Enum<KvTierKind>())
        .Select((what, who, tenant, text, from, to, tier) => new Event(what, who, tenant, text, from, to, tier));

    [Test]
    public void Equals_a_naive_model_and_routes_to_nobody_who_is_dead_or_drains() => Events.Array[1, 120].Sample(events =>
    {
        var directory = new BlockDirectory();
        var model = new Naive();
        var options = new RoutingOptions { Directory = directory };
        var policies = RoutingPolicies.Names.Select(name => RoutingPolicies.Named(name, options)).ToArray();
        var replicas = Replicas.Named(Enumerable.Range(0, Names).Select(i => $"r{i}"));
        var found = new List<PrefixMatch>();
        foreach (var e in events)
        {
            var name = $"r{e.Who}";
            var some = Prompts[e.Tenant][e.Text][Math.Min(e.From, e.To - 1)..e.To];
            switch (e.What)
            {
                case 0 or 1 or 2: Announce(name, e.Tier, stored: some); break;
                case 3 or 4: Announce(name, e.Tier, removed: some); break;
                case 5: Announce(name, e.Tier, stored: some, cleared: true); break;
                case 6:                                       // killed and begun anew
                    model.Forget(name);
                    model.Generations[name] = model.Generations.GetValueOrDefault(name) + 1;
                    Announce(name, e.Tier, stored: some);
                    // What the killed one still had to say comes late.
                    directory.Announce(new(name, model.Generations[name] - 1, e.Tier) { Stored = Prompts[0][0], Cleared = true });
                    break;
                case 7:
                    directory.Forget(name);
                    model.Forget(name);
                    break;
                case 8: replicas[e.Who].Alive = !replicas[e.Who].Alive; break;
                default: replicas[e.Who].Draining = !replicas[e.Who].Draining; break;
            }
            var prompt = Prompts[e.Tenant][e.Text];
            directory.Find(prompt, Costs, found);
            Assert.That(found.Select(match => (match.Replica, match.Blocks, Math.Round(match.Worth, 9))), Is.EquivalentTo(model.Find(prompt)));
            Assert.That(directory.Entries, Is.GreaterThanOrEqualTo(model.Entries));

            var request = Replicas.Request($"{Tenants[e.Tenant]} {e.Text}") with 
            { Blocks = prompt, Tokens = prompt.Length * 16, Tenant = Tenants[e.Tenant] };
            foreach (var policy in policies) Check(policy, policy.Pick(request, replicas), replicas, model.Find(prompt));

            void Announce(string to, KvTierKind tier, BlockHash[]? stored = null, BlockHash[]? removed = null, bool cleared = false)
            {
                var news = new BlockAnnouncement(to, model.Generations.GetValueOrDefault(to), tier)
                { Stored = stored ?? [], Removed = removed ?? [], Cleared = cleared };
                directory.Announce(news);
                model.Announce(news);
            }
        }
    }, iter: 400, threads: 1);

    [Test]
    public void Never_counts_blocks_of_another_tenant()
    {
        var directory = new BlockDirectory();
        directory.Announce(new("r0", 1) { Stored = Prompts[0][0] });
        var found = new List<PrefixMatch>();
        directory.Find(Prompts[1][0], Costs, found);
        Assert.That(found, Is.Empty);
        directory.Find(Prompts[0][0], Costs, found);
        Assert.That(found, Is.EqualTo([new PrefixMatch("r0", 4, 4)]));
    }

    [Test]
    public void Keeps_within_its_bound_and_has_room_again_after_removals()
    {
        var directory = new BlockDirectory(maxEntries: 3);
        directory.Announce(new("r0", 1) { Stored = Prompts[0][0] });
        Assert.That((directory.Entries, directory.Dropped), Is.EqualTo((3L, 1L)));
        directory.Announce(new("r0", 1) { Removed = [Prompts[0][0][2]] });
        directory.Announce(new("r1", 1) { Stored = [Prompts[0][0][0]] });
        Assert.That((directory.Entries, directory.Dropped), Is.EqualTo((3L, 1L)));
        // What a replica held that is gone makes room as soon as it is needed.
        directory.Forget("r0");
        directory.Announce(new("r2", 1) { Stored = [Prompts[0][0][0], Prompts[0][0][1]] });
        Assert.That((directory.Entries, directory.Dropped), Is.EqualTo((3L, 1L)));
    }

    [Test]
    public void A_replica_that_restarts_again_and_again_takes_no_more_room()
    {
        var directory = new BlockDirectory();
        var many = Enumerable.Range(0, 2000).Select(i => Chain("t", [i])[0]).ToArray();
        for (var generation = 0; generation < 50; generation++)
        {
            directory.Announce(new("r0", generation) { Stored = many });
            directory.Announce(new("r1", 7) { Stored = [many[0]] });
        }
        Assert.That(directory.Entries, Is.LessThan(4 * many.Length + 4096));
        var found = new List<PrefixMatch>();
        directory.Find([many[0]], Costs, found);
        Assert.That(found.Select(match => match.Replica), Is.EquivalentTo(["r0", "r1"]));
    }

    private static void Check(RoutingPolicy policy, RoutingChoice choice, List<ReplicaState> replicas, List<(string Name, int Blocks, double)> held)
    {
        var able = replicas.Where(replica => replica is { Alive: true, Draining: false }).ToArray();
        if (able.Length == 0)
        {
            Assert.That((choice.Replica, choice.Reason), Is.EqualTo(((ReplicaState?)null, RoutingReason.NoReplica)), policy.Name);
            return;
        }
        Assert.That(able, Has.Member(choice.Replica), policy.Name);
        if (policy.Name is not ("prefix" or "kvaware") || choice.Reason != RoutingReason.Prefix) return;
        // What it says of a match is what the replica holds of this tenant's prompt.
        Assert.That(choice.Matched / 16, Is.EqualTo(held.Single(one => one.Name == choice.Replica!.Name).Blocks), policy.Name);
    }

    private static BlockHash[] Chain(string tenant, int[] contents)
    {
        var hashes = new BlockHash[contents.Length];
        for (var i = 0; i < hashes.Length; i++)
        {
            hashes[i] = BlockHasher.Next(i == 0 ? BlockHasher.DefaultRoot : hashes[i - 1], [.. Enumerable.Repeat(contents[i], 16)],
                i == 0 ? ["tenant", tenant, ""] : []);
        }
        return hashes;
    }

    /// <summary>Who holds what, as sets.</summary>
    private sealed class Naive
    {
        private readonly HashSet<(string Name, KvTierKind Tier, BlockHash Hash)> held = [];

        public Dictionary<string, long> Generations { get; } = [];

        public long Entries => held.Select(one => (one.Name, one.Hash)).Distinct().Count();

        public void Announce(BlockAnnouncement news)
        {
            if (news.Cleared) held.RemoveWhere(one => one.Name == news.Replica && one.Tier == news.Tier);
            foreach (var hash in news.Removed) held.Remove((news.Replica, news.Tier, hash));
            foreach (var hash in news.Stored) held.Add((news.Replica, news.Tier, hash));
        }

        public void Forget(string name) => held.RemoveWhere(one => one.Name == name);

        public List<(string Name, int Blocks, double Worth)> Find(BlockHash[] prompt)
        {
            var found = new List<(string, int, double)>();
            foreach (var name in held.Select(one => one.Name).Distinct())
            {
                var tiers = prompt.Select(hash => held.Where(one => one.Name == name && one.Hash == hash).Select(one => (KvTierKind?)one.Tier).Min())
                    .TakeWhile(tier => tier is not null).Select(tier => 1 - Costs[tier!.Value]).ToArray();
                if (tiers.Length > 0) found.Add((name, tiers.Length, Math.Round(tiers.Sum(), 9)));
            }
            return found;
        }
    }
}
