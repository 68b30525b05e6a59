using System.Text.Json;
using CsCheck;
using Quilt.Cluster.Routing;

namespace Quilt.Tests.Cluster.Routing;

/// <summary>Cases that are rules without an example, by their names; a rule that nobody checks here fails.</summary>
internal static class RouterProperties
{
    private static readonly Gen<string> Words = Gen.String[Gen.Char['a', 'z'], 1, 12];

    public static void Check(JsonElement c)
    {
        var name = c.GetProperty("name").GetString()!;
        Action check = name switch
        {
            "rr_balanced_property" => TurnsAreEven,
            "session_sticky" => SessionsStay,
            "session_node_removed" => OnlyTheSessionsOfTheRemovedMove,
            "prefix_threshold_zero_random_among_available" => NoMatchIsChance,
            "pd_orchestrated_rr_and_503" => PoolsTakeTurns,
            _ => () => Assert.Fail($"Nothing here checks the rule '{name}': {c.GetProperty("property").GetString()}"),
        };
        check();
    }

    private static void TurnsAreEven() => Gen.Select(Gen.Int[1, 1000], Gen.Int[1, 10_000]).Sample((endpoints, requests) =>
    {
        var policy = RoutingPolicies.Named("roundrobin");
        var replicas = Replicas.Named(Enumerable.Range(0, endpoints).Select(i => $"e{i}"));
        var picks = replicas.ToDictionary(replica => replica, _ => 0);
        for (var i = 0; i < requests; i++) picks[policy.Pick(Replicas.Request(), replicas).Replica!]++;
        Assert.That(picks.Values.Max() - picks.Values.Min(), Is.LessThanOrEqualTo(1));
    }, iter: 20, threads: 1);

    private static void SessionsStay() => Gen.Select(Words, Words, Gen.Int[1, 20]).Sample((header, body, endpoints) =>
    {
        var policy = RoutingPolicies.Named("session");
        var replicas = Replicas.Named(Enumerable.Range(0, endpoints).Select(i => $"e{i}"));
        string Of(string? inHeader, string? inBody) =>
            policy.Pick(Replicas.Request(session: SessionKey.Of(inHeader, inBody)), replicas).Replica!.Name;
        var home = Of(header, null);
        Assert.That(Of(header, body), Is.EqualTo(home));
        Assert.That(Of(null, header), Is.EqualTo(home));
        replicas.Reverse();
        Assert.That(Of(header, body), Is.EqualTo(home));
        // What others say of themselves moves no session.
        foreach (var replica in replicas) replica.QueriesPerSecond = replica.Name == home ? 100 : 1;
        Assert.That(Of(header, body), Is.EqualTo(home));
    }, iter: 200, threads: 1);

    private static void OnlyTheSessionsOfTheRemovedMove() => Gen.Select(Words.Array[50], Gen.Int[0, 2], Words).Sample((sessions, gone, salt) =>
    {
        var policy = RoutingPolicies.Named("session");
        var replicas = Replicas.Named($"{salt}0", $"{salt}1", $"{salt}2");
        string Of(string session) => policy.Pick(Replicas.Request(session: session), replicas).Replica!.Name;
        var homes = sessions.Distinct().ToDictionary(session => session, Of);
        var removed = replicas[gone].Name;
        replicas.RemoveAt(gone);
        foreach (var (session, home) in homes)
            Assert.That(Of(session), home == removed ? Is.Not.EqualTo(home) : Is.EqualTo(home));
    }, iter: 100, threads: 1);

    private static void NoMatchIsChance()
    {
        var policy = RoutingPolicies.Named("prefixaware");
        // By requests a second all would go to e0.
        var replicas = Enumerable.Range(0, 3).Select(i => Replicas.Of($"e{i}", qps: i * 100)).ToList();
        var picks = Enumerable.Range(0, 300).Select(i => policy.Pick(Replicas.Request($"{i} has nothing in common"), replicas))
            .CountBy(choice => choice.Replica!.Name).ToDictionary();
        Assert.That(picks.Keys, Is.EquivalentTo(["e0", "e1", "e2"]));
        Assert.That(picks.Values, Is.All.InRange(50, 150));
    }

    private static void PoolsTakeTurns() => Gen.Select(Gen.Int[0, 4], Gen.Int[0, 4], Gen.Int[1, 12]).Sample((reading, writing, requests) =>
    {
        var policy = (DisaggregatedPolicy)RoutingPolicies.Named("disaggregated_prefill_orchestrated");
        ReplicaState[] replicas = [.. Pool("d", writing, ReplicaRole.Decode), .. Pool("p", reading, ReplicaRole.Prefill)];
        for (var i = 0; i < requests; i++)
        {
            var (prefill, decode) = policy.PickBoth(Replicas.Request(), replicas);
            if (reading == 0) Assert.That((prefill.Replica, prefill.Code), Is.EqualTo(((ReplicaState?)null, "PREFILL_SERVICE_UNAVAILABLE")));
            else if (writing == 0) Assert.That((decode.Replica, decode.Code), Is.EqualTo(((ReplicaState?)null, "DECODE_SERVICE_UNAVAILABLE")));
            else Assert.That((prefill.Replica!.Name, decode.Replica!.Name), Is.EqualTo(($"p{i % reading}", $"d{i % writing}")));
        }
    }, iter: 100, threads: 1);

    // Not in the order of their names.
    private static IEnumerable<ReplicaState> Pool(string name, int count, ReplicaRole role) =>
        Enumerable.Range(0, count).Reverse().Select(i => new ReplicaState { Name = $"{name}{i}", Model = "m", Role = role });
}
