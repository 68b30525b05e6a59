using CsCheck;
using Quilt.Cluster.Routing;
using Quilt.Runtime.Kv;

namespace Quilt.Tests.Cluster.Routing;

/// <summary>Where the default policy sends prompts.</summary>
public sealed class PrefixPolicyTests
{
    private static readonly BlockHash[] Prompt = [.. Enumerable.Range(1, 100).Select(i => new BlockHash((ulong)i, 0, 0, 0))];
    private BlockDirectory directory = null!;

    [SetUp]
    public void Begin() => directory = new BlockDirectory();

    [Test]
    public void Goes_where_most_of_the_prompt_is()
    {
        directory.Announce(new("b", 1) { Stored = Prompt[..40] });
        directory.Announce(new("c", 1) { Stored = Prompt[..60] });
        var choice = Policy().Pick(Request(Prompt), Replicas.Named("a", "b", "c"));
        Assert.That((choice.Replica!.Name, choice.Reason, choice.Matched), Is.EqualTo(("c", RoutingReason.Prefix, 960)));
    }

    [Test]
    public void Goes_elsewhere_once_waiting_takes_longer_than_computing()
    {
        directory.Announce(new("b", 1) { Stored = Prompt[..60] });
        var replicas = Replicas.Named("a", "b");
        replicas[1].QueuedTokens = 959;
        Assert.That(Policy().Pick(Request(Prompt), replicas).Replica!.Name, Is.EqualTo("b"));
        replicas[1].QueuedTokens = 961;
        Assert.That(Policy().Pick(Request(Prompt), replicas).Replica!.Name, Is.EqualTo("a"));
    }

    [Test]
    public void A_nearer_tier_is_worth_more()
    {
        directory.Announce(new("a", 1, KvTierKind.Disk) { Stored = Prompt });
        directory.Announce(new("b", 1, KvTierKind.Host) { Stored = Prompt[..95] });
        Assert.That(Policy().Pick(Request(Prompt), Replicas.Named("a", "b")).Replica!.Name, Is.EqualTo("b"));
        directory.Announce(new("a", 1) { Stored = Prompt });
        Assert.That(Policy().Pick(Request(Prompt), Replicas.Named("a", "b")).Replica!.Name, Is.EqualTo("a"));
    }

    [Test]
    public void A_full_replica_is_left_to_whom_it_has()
    {
        directory.Announce(new("b", 1) { Stored = Prompt });
        ReplicaState[] replicas = [new() { Name = "a", Model = "m", Capacity = 4 }, new() { Name = "b", Model = "m", Capacity = 4, Running = 4 }];
        Assert.That(Policy().Pick(Request(Prompt), replicas).Replica!.Name, Is.EqualTo("a"));
    }

    [Test]
    public void What_nobody_knows_goes_by_its_first_blocks_and_only_who_must_moves() => Gen.Int[2, 30].Sample(count =>
    {
        var policy = Policy();
        var replicas = Replicas.Named(Enumerable.Range(0, count).Select(i => $"r{i}"));
        var homes = Enumerable.Range(0, 50).ToDictionary(i => i, i => policy.Pick(Unknown(i, tail: 0), replicas).Replica!.Name);
        foreach (var (i, home) in homes) Assert.That(policy.Pick(Unknown(i, tail: 1), replicas).Replica!.Name, Is.EqualTo(home));
        replicas[0].Draining = true;
        foreach (var (i, home) in homes)
            Assert.That(policy.Pick(Unknown(i, tail: 2), replicas).Replica!.Name, home == "r0" ? Is.Not.EqualTo(home) : Is.EqualTo(home));
    }, iter: 20, threads: 1);

    [Test]
    public void What_nobody_knows_gives_nobody_more_than_a_quarter_above_the_mean()
    {
        var policy = Policy();
        var replicas = Replicas.Named("a", "b", "c", "d");
        for (var i = 0; i < 100; i++) policy.Pick(Unknown(7, tail: i), replicas).Replica!.Running++;
        // A mean of 25, a quarter, and four for which no mean is needed.
        Assert.That(replicas.Select(replica => replica.Running), Is.All.LessThanOrEqualTo(25 + 6 + 4 + 1));
    }

    [Test]
    public void Prompts_without_a_full_block_take_turns()
    {
        var policy = Policy();
        var replicas = Replicas.Named("a", "b", "c");
        Assert.That(Enumerable.Range(0, 30).CountBy(_ => policy.Pick(Replicas.Request("x"), replicas).Replica!.Name).Select(one => one.Value),
            Is.EqualTo([10, 10, 10]));
    }

    [Test]
    public void A_name_that_is_none_is_told() => Assert.That(() => RoutingPolicies.Named("nearest"),
        Throws.ArgumentException.With.Message.Contains("roundrobin").And.Message.Contains("'nearest'"));

    [TestCaseSource(typeof(RoutingPolicies), nameof(RoutingPolicies.Names))]
    public void Only_replicas_of_the_model_and_the_role_come_into_question(string name)
    {
        var policy = RoutingPolicies.Named(name);
        ReplicaState[] replicas = [new() { Name = "a", Model = "other" }, new() { Name = "b", Model = "m", Role = ReplicaRole.Prefill },
            new() { Name = "c", Model = "m", Role = ReplicaRole.Decode }];
        for (var i = 0; i < 5; i++) Assert.That(policy.Pick(Replicas.Request($"{i}"), replicas).Replica!.Name, Is.EqualTo("c"));
        Assert.That(policy.Pick(Replicas.Request() with { Model = "third" }, replicas).Replica, Is.Null);
    }

    [Test]
    public void A_tree_forgets_the_oldest_ends_first()
    {
        var tree = new RadixTree();
        tree.Insert("common start, end one", 0);
        tree.Insert("common start, end two", 0);
        tree.Insert("common start, end one", 1);
        tree.Match("common start, end one", [0], out _);
        tree.Evict(22);
        Assert.That(tree.Match("common start, end two", [0], out _), Is.EqualTo("common start, end ".Length));
        Assert.That(tree.Match("common start, end one", [0], out _), Is.EqualTo("common start, end one".Length));
        Assert.That((tree.SizeOf(0), tree.SizeOf(1)), Is.EqualTo((21L, 21L)));
        tree.Evict(0);
        Assert.That((tree.SizeOf(0), tree.SizeOf(1)), Is.EqualTo((0L, 0L)));
        Assert.That(tree.Match("common", [0, 0], out var tenant), Is.Zero);
        Assert.That(tenant, Is.EqualTo(-1));
    }

    [Test]
    public void A_tree_holds_what_a_list_of_texts_holds() =>
        Gen.Select(Gen.String[Gen.Int[0, 4].Select(i => "ab\ud83d\ude00\ude01"[i]), 0, 8], Gen.Int[0, 2]).Array[1, 40].Sample(texts =>
        {
            var tree = new RadixTree();
            foreach (var (text, tenant) in texts) tree.Insert(text, tenant);
            for (var tenant = 0; tenant < 3; tenant++)
            {
                var loads = new[] { -1, -1, -1 };
                loads[tenant] = 0;
                foreach (var (text, _) in texts)
                {
                    var longest = texts.Where(one => one.Item2 == tenant).Select(one => CodePoints.Common(one.Item1, text)).DefaultIfEmpty(0).Max();
                    Assert.That(tree.Match(text, loads, out _), Is.EqualTo(longest));
                }
            }
        }, iter: 500, threads: 1);

    private PrefixPolicy Policy() => new(new RoutingOptions { Directory = directory });

    private static RoutingRequest Request(BlockHash[] blocks) => Replicas.Request() with { Blocks = blocks, Tokens = (blocks.Length * 16) + 1 };

    private static RoutingRequest Unknown(int key, int tail) =>
        Request([.. Enumerable.Range(0, 8).Select(i => new BlockHash(((ulong)key * 1000) + (ulong)i, i < 4 ? 0 : (ulong)tail, 1, 1))]);
}
