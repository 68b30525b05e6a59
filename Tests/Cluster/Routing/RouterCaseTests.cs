using System.Text.Json;
using Quilt.Cluster.Routing;

namespace Quilt.Tests.Cluster.Routing;

/// <summary>What other routers do, recorded: each case by its kind, and by its name where it is a rule without an example.</summary>
[Category("Conformance")]
public sealed class RouterCaseTests
{
    [TestCaseSource(typeof(RouterCases), nameof(RouterCases.All))]
    public async Task Routes_as_it_should(JsonElement? test)
    {
        if (test is not { } c)
        {
            Assert.Ignore("No conformance data.");
            return;
        }
        if (c.TryGetProperty("property", out _))
        {
            RouterProperties.Check(c);
            return;
        }
        switch (c.GetProperty("kind").GetString())
        {
            case "router_roundrobin": TakesTurns(c); break;
            case "router_session": FindsTheSession(c); break;
            case "router_prefix": FollowsPrefixes(c); break;
            case "router_prefix_trie": MatchesChunks(c); break;
            case "router_prefix_text": ReadsTheText(c); break;
            case "router_pd": TellsRoles(c); break;
            case "router_failover": FailsOver(c); break;
            case "router_cache_aware": KnowsCaches(c); break;
            case "router_imbalance": TellsUneven(c); break;
            case "router_validation": await RouterBodies.CheckAsync(c); break;
            case "radix_tree": MatchesTexts(c); break;
            case "radix_tree_size": CountsTexts(c); break;
            case var kind: Assert.Fail($"The case is of a kind that this fixture does not know: '{kind}'."); break;
        }
    }

    private static void TakesTurns(JsonElement c)
    {
        var policy = RoutingPolicies.Named("roundrobin");
        if (c.TryGetProperty("calls", out var calls))
        {
            foreach (var call in calls.EnumerateArray())
            {
                Assert.That(policy.Pick(Replicas.Request(), Replicas.Named(call.Texts("endpoints"))).Replica!.Name,
                    Is.EqualTo(call.GetProperty("expect").GetString()));
            }
            return;
        }
        var replicas = Replicas.Named(c.Texts("endpoints"));
        var expected = c.Texts("picks");
        Assert.That(expected, Is.Not.Empty);
        Assert.That(expected.Select(_ => policy.Pick(Replicas.Request(), replicas).Replica!.Name), Is.EqualTo(expected));
    }

    private static void FindsTheSession(JsonElement c)
    {
        var key = c.TryGetProperty("session_key", out var named) ? named.GetString()! : "session_id";
        var session = SessionKey.Of(Value(c, "headers", key), Value(c, "body", key));
        var replicas = c.Texts("endpoints").Select(name => Replicas.Of(name, Queries(c, name))).ToList();
        Assert.That(RoutingPolicies.Named("session").Pick(Replicas.Request(session: session), replicas).Replica!.Name,
            Is.EqualTo(c.GetProperty("expect").GetString()));
    }

    private static void FollowsPrefixes(JsonElement c)
    {
        var policy = RoutingPolicies.Named("prefixaware", new RoutingOptions
        { MinMatchCharacters = c.GetProperty("min_match").GetInt32(), ChunkCharacters = c.GetProperty("chunk_chars").GetInt32() });
        foreach (var call in c.GetProperty("calls").EnumerateArray())
        {
            var names = call.TryGetProperty("endpoints", out _) ? call.Texts("endpoints")
                : [.. call.GetProperty("qps").EnumerateObject().Select(one => one.Name)];
            var replicas = names.Select(name => Replicas.Of(name, Queries(call, name))).ToList();
            Assert.That(policy.Pick(Replicas.Request(call.GetProperty("prompt").GetString()!), replicas).Replica!.Name,
                Is.EqualTo(call.GetProperty("expect").GetString()));
        }
    }

    private static void MatchesChunks(JsonElement c)
    {
        var trie = new HashTrie(c.GetProperty("chunk_chars").GetInt32());
        var numbers = new RosterNumbers();
        foreach (var (text, who) in c.Pairs("inserts")) trie.Insert(text, numbers.Of(who));
        int[] available = [.. c.Texts("available").Select(numbers.Of)];
        var found = new List<int>();
        foreach (var lookup in c.GetProperty("lookups").EnumerateArray())
        {
            Assert.That(trie.Match(lookup.GetProperty("text").GetString()!, available, found), Is.EqualTo(lookup.GetProperty("match").GetInt32()));
            Assert.That(found.Select(numbers.NameOf), Is.EquivalentTo(lookup.Texts("endpoints")));
        }
    }

    private static void ReadsTheText(JsonElement c) =>
        Assert.That(RoutingText.Of(c.GetProperty("request")), Is.EqualTo(c.GetProperty("expect").GetString()));

    private static void TellsRoles(JsonElement c)
    {
        var policy = RoutingPolicies.Named("disaggregated_prefill");
        ReplicaState[] replicas = [new() { Name = "d", Model = "m", Role = ReplicaRole.Decode },
            new() { Name = "p", Model = "m", Role = ReplicaRole.Prefill }];
        foreach (var row in c.GetProperty("rows").EnumerateArray())
        {
            int? most = row.GetProperty("max_tokens") is { ValueKind: JsonValueKind.Number } number ? number.GetInt32() : null;
            var role = Enum.Parse<ReplicaRole>(row.GetProperty("role").GetString()!, ignoreCase: true);
            Assert.That(policy.Pick(Replicas.Request() with { MaxTokens = most }, replicas).Replica!.Role, Is.EqualTo(role));
        }
    }

    private static void FailsOver(JsonElement c)
    {
        var replicas = Replicas.Named(Enumerable.Range(0, c.GetProperty("endpoints").GetInt32()).Select(i => $"http://e{i}"));
        var failover = new Failover(RoutingPolicies.Named("roundrobin"), Replicas.Request(), c.GetProperty("max_reroutes").GetInt32());
        var backend = c.Texts("backend");
        var asked = new List<string>();
        string? error = null, done = null;
        while (done is null && failover.Next(replicas).Replica is { } replica)
        {
            var answer = backend[asked.Count];
            asked.Add(replica.Name);
            if (answer == "ok") done = "200";
            else error = answer == "conn" ? "connection" : answer;
            if (done is null && !failover.MayRetry(answer == "conn" ? ReplicaFailure.Connection : ReplicaFailure.Answer, begun: false)) break;
        }
        foreach (var field in c.GetProperty("expected").EnumerateObject())
        {
            switch (field.Name)
            {
                case "status": Assert.That(done, Is.EqualTo(field.Value.GetInt32().ToString())); break;
                case "error": Assert.That((done, error), Is.EqualTo(((string?)null, field.Value.GetString()))); break;
                case "calls": Assert.That(asked, Has.Count.EqualTo(field.Value.GetInt32())); break;
                case "distinct": Assert.That(asked.Distinct().Count() == asked.Count, Is.EqualTo(field.Value.GetBoolean())); break;
                default: Assert.Fail($"The case expects '{field.Name}', which this fixture does not know."); break;
            }
        }
    }

    private static void KnowsCaches(JsonElement c)
    {
        var policy = RoutingPolicies.Named("cache_aware");
        var (workers, ill) = (c.Texts("workers"), c.Texts("unhealthy"));
        var replicas = workers.Select((name, i) => Replicas.Of(name, load: c.GetProperty("loads")[i].GetInt32())).ToList();
        foreach (var replica in replicas) replica.Alive = !ill.Contains(replica.Name);
        foreach (var call in c.GetProperty("calls").EnumerateArray())
        {
            Assert.That(policy.Pick(Replicas.Request(call.GetProperty("text").GetString()!), replicas).Replica!.Name,
                Is.EqualTo(call.GetProperty("expect").GetString()));
        }
    }

    private static void TellsUneven(JsonElement c) =>
        Assert.That(CacheAwarePolicy.IsUneven(c.GetProperty("max").GetInt32(), c.GetProperty("min").GetInt32(), c.GetProperty("abs").GetInt32(),
            c.GetProperty("rel").GetDouble()), Is.EqualTo(c.GetProperty("expected").GetBoolean()));

    private static void MatchesTexts(JsonElement c)
    {
        var (tree, numbers) = (new RadixTree(), new RosterNumbers());
        foreach (var (text, who) in c.Pairs("inserts")) tree.Insert(text, numbers.Of(who));
        foreach (var lookup in c.GetProperty("lookups").EnumerateArray())
        {
            var text = lookup.GetProperty("text").GetString()!;
            var units = tree.Match(text, new int[numbers.Count], out var tenant);
            Assert.That(text[..units], Is.EqualTo(lookup.GetProperty("match").GetString()));
            Assert.That(tenant < 0 ? null : numbers.NameOf(tenant), Is.EqualTo(lookup.GetProperty("tenant").GetString()));
        }
    }

    private static void CountsTexts(JsonElement c)
    {
        var (tree, numbers) = (new RadixTree(), new RosterNumbers());
        foreach (var step in c.GetProperty("steps").EnumerateArray())
        {
            foreach (var (text, who) in step.Pairs("insert")) tree.Insert(text, numbers.Of(who));
            if (step.TryGetProperty("sizes", out var sizes))
            {
                foreach (var size in sizes.EnumerateObject())
                    Assert.That(tree.SizeOf(numbers.Of(size.Name)), Is.EqualTo(size.Value.GetInt64()), size.Name);
            }
            var smallest = Enumerable.Range(0, numbers.Count).OrderBy(tree.SizeOf).Select(numbers.NameOf).FirstOrDefault();
            Assert.That(smallest, Is.EqualTo(step.GetProperty("expect_smallest").GetString()));
        }
    }

    private static string? Value(JsonElement c, string where, string key) =>
        c.TryGetProperty(where, out var values) && values.ValueKind == JsonValueKind.Object && values.TryGetProperty(key, out var value)
            ? value.GetString()
            : null;

    private static double? Queries(JsonElement c, string name) =>
        c.TryGetProperty("qps", out var qps) && qps.TryGetProperty(name, out var value) ? value.GetDouble() : null;
}
