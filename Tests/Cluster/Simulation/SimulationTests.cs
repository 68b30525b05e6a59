using CsCheck;
using Quilt.Cluster.Routing;
using Quilt.Cluster.Simulation;

namespace Quilt.Tests.Cluster.Simulation;

/// <summary>Simulated clusters against what can be computed by hand, and against what must hold whatever happens.</summary>
public sealed class SimulationTests
{
    // A prompt's token takes a millisecond, a step of replies a tenth of a second a sequence.
    private static readonly CostModel Simple = new([new(100, 1000)], [new(1, 10), new(2, 10)]);

    [Test]
    public void One_replica_without_shared_prefixes_follows_the_schedule_computed_by_hand()
    {
        // 0.0-0.2 A's prompt; 0.2-0.6 B's prompt (0.3) beside A's second token (0.1); 0.6-0.8 both, which ends both.
        var result = Run(new ClusterSpec { Cost = Simple, Replicas = 1, PricePerHour = 3600 },
            [Request("A", 0, 200, 3), Request("B", 0.05, 300, 2)]);
        Assert.Multiple(() =>
        {
            Assert.That((result.Ended, result.Refused, result.PromptTokens, result.CachedTokens, result.ComputedTokens, result.ReplyTokens),
                Is.EqualTo((2, 0, 500L, 0L, 500L, 5L)));
            Assert.That(result.FirstToken.Half, Is.EqualTo(0.2).Within(1e-9));
            Assert.That(result.FirstToken.Most, Is.EqualTo(0.55).Within(1e-9));
            Assert.That(result.BetweenTokens.Half, Is.EqualTo(0.2).Within(1).Percent);
            Assert.That(result.BetweenTokens.Most, Is.EqualTo(0.4).Within(1).Percent);
            Assert.That(result.Seconds, Is.EqualTo(0.8).Within(1e-9));
            Assert.That(result.Utilisation, Is.EqualTo(1).Within(1e-9));
            Assert.That(result.TokensPerSecond, Is.EqualTo(6.25).Within(1e-9));
            Assert.That(result.CostPerMillion, Is.EqualTo(160_000).Within(1e-3));
        });
    }

    [Test]
    public void What_follows_comes_after_the_end_and_finds_what_was_said()
    {
        // 0.0-0.2 the prompt, 0.2-0.3 the second token; half a second later 200 + 2 + 30, of which 192 + 0 are in full blocks.
        var first = Request("A", 0, 200, 2);
        var second = new TraceRequest("B", [.. first.Prompt, first.Reply, new("more", 30)], new("B-reply", 1)) { After = "A", Delay = 0.5 };
        var result = Run(new ClusterSpec { Cost = Simple, Replicas = 1 }, [first, second]);
        Assert.That((result.CachedTokens, result.ComputedTokens), Is.EqualTo((192L, 200L + 40)));
        // The second prompt's 40 tokens take a step of replies at least.
        Assert.That(result.Seconds, Is.EqualTo(0.3 + 0.5 + 0.1).Within(1e-9));
    }

    [Test]
    public void Tenants_find_nothing_of_each_other()
    {
        var one = Request("A", 0, 200, 2) with { Tenant = "a" };
        TraceRequest[] trace = [one, one with { Id = "B", At = 10 }, one with { Id = "C", At = 20, Tenant = "c" }];
        Assert.That(Run(new ClusterSpec { Cost = Simple, Replicas = 1 }, trace).CachedTokens, Is.EqualTo(192));
    }

    [TestCaseSource(typeof(RoutingPolicies), nameof(RoutingPolicies.Names))]
    public void The_same_trace_gives_the_same_figures(string policy)
    {
        var spec = new ClusterSpec { Cost = Simple, Replicas = 3, KvTokens = 1 << 14, Sequences = 8, PricePerHour = 1 };
        var first = Run(spec, Generated(), policy);
        Assert.That(Run(spec, Generated(), policy), Is.EqualTo(first));

        static TraceRequest[] Generated() => [.. new TraceGenerator(5, seed: 3).Generate("mix", 60)];
    }

    [Test]
    public void Every_request_ends_once_and_every_token_is_counted()
    {
        var parts = Gen.Select(Gen.Int[0, 3], Gen.Int[1, 90]).Select((content, tokens) => new TracePart($"part{content}", tokens));
        var requests = Gen.Select(parts.Array[1, 4], Gen.Int[1, 40], Gen.Double[0, 3], Gen.Int[-5, 20], Gen.Int[0, 2]);
        var policies = Gen.Int[0, Names.Length - 1].Select(i => Names[i]);
        Gen.Select(requests.Array[1, 25], Gen.Int[1, 4], policies, Gen.Int[8, 30]).Sample((some, replicas, policy, blocks) =>
        {
            var trace = some.Select((one, i) => new TraceRequest($"{i}", one.Item1, new($"reply{i}", one.Item2))
            {
                At = one.Item3,
                After = one.Item4 >= 0 && one.Item4 < i ? $"{one.Item4}" : null,
                Delay = one.Item3 / 10,
                Tenant = one.Item5 == 0 ? null : $"tenant{one.Item5}",
            }).ToArray();
            var spec = new ClusterSpec
            { Cost = Simple, Replicas = replicas, KvTokens = blocks * 16, Sequences = 4, BatchedTokens = 64, AnnounceSeconds = 0.01 };
            var result = Run(spec, trace, policy);

            var refused = new HashSet<string>();
            foreach (var request in trace)
            {
                if (request.PromptTokens + request.Reply.Tokens > spec.KvTokens || refused.Contains(request.After ?? "")) refused.Add(request.Id);
            }
            var answered = trace.Where(request => !refused.Contains(request.Id)).ToArray();
            Assert.That((result.Ended, result.Refused), Is.EqualTo((answered.Length, refused.Count)));
            Assert.That(result.PromptTokens, Is.EqualTo(answered.Sum(request => (long)request.PromptTokens)));
            Assert.That(result.ReplyTokens, Is.EqualTo(answered.Sum(request => (long)request.Reply.Tokens)));
            Assert.That(result.ComputedTokens, result.Preemptions == 0
                ? Is.EqualTo(result.PromptTokens - result.CachedTokens)
                : Is.GreaterThanOrEqualTo(result.PromptTokens - result.CachedTokens));
        }, iter: 300, threads: 1);
    }

    [TestCase("chat")]
    [TestCase("agents")]
    [TestCase("rag")]
    public void Where_prompts_share_beginnings_the_default_finds_more_than_taking_turns(string kind)
    {
        TraceRequest[] trace = [.. new TraceGenerator(6, seed: 1).Generate(kind, 250)];
        var spec = new ClusterSpec { Cost = new([new(512, 5000)], [new(1, 100), new(64, 1500)]), Replicas = 4 };
        var (ours, turns) = (Run(spec, trace, RoutingPolicies.Default), Run(spec, trace, "roundrobin"));
        Assert.That(ours.HitRate, Is.GreaterThan(turns.HitRate));
        Assert.That(ours.FirstToken.Half, Is.LessThanOrEqualTo(turns.FirstToken.Half));
    }

    [Test]
    public void A_pool_that_is_too_small_gives_way_and_still_answers()
    {
        TraceRequest[] trace = [.. Enumerable.Range(0, 4).Select(i => Request($"{i}", 0, 20, 60))];
        var result = Run(new ClusterSpec { Cost = Simple, Replicas = 1, KvTokens = 160, Sequences = 4 }, trace);
        Assert.That((result.Ended, result.ReplyTokens), Is.EqualTo((4, 240L)));
        Assert.That(result.Preemptions, Is.Positive);
    }

    [Test]
    public void A_cluster_that_is_none_is_told() => Assert.That(() => Run(new ClusterSpec { Cost = Simple, Replicas = 0 }, [Request("A", 0, 1, 1)]),
        Throws.ArgumentException.With.Message.EqualTo("Replicas: expected 1 to 100000, found 0."));

    [Test]
    public void Times_between_measured_sizes_lie_on_lines()
    {
        var cost = new CostModel([new(100, 1000), new(400, 2000)], [new(1, 10), new(11, 55)], foundPerSecond: 1000);
        Assert.Multiple(() =>
        {
            Assert.That(cost.Step(250, 0, 0), Is.EqualTo(0.15).Within(1e-9));
            Assert.That(cost.Step(700, 0, 0), Is.EqualTo(0.3).Within(1e-9));
            Assert.That(cost.Step(10, 0, 0), Is.EqualTo(0.1).Within(1e-9));
            Assert.That(cost.Step(0, 6, 0), Is.EqualTo(0.15).Within(1e-9));
            Assert.That(cost.Step(250, 6, 500), Is.EqualTo(0.15 + 0.15 + 0.5).Within(1e-9));
        });
    }

    private static string[] Names => [.. RoutingPolicies.Names];

    private static SimulationResult Run(ClusterSpec spec, TraceRequest[] trace, string policy = "prefix") =>
        Quilt.Cluster.Simulation.Simulation.Run(spec, trace, policy);

    private static TraceRequest Request(string id, double at, int prompt, int reply) =>
        new(id, [new($"{id}-prompt", prompt)], new($"{id}-reply", reply)) { At = at };
}
