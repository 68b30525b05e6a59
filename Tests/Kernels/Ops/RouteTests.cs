using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;

namespace Quilt.Tests.Kernels.Ops;

[TestFixtureSource(typeof(Target), nameof(Target.All))]
public sealed class RouteTests(Target target) : OpTests(target)
{
    [Test]
    public void Matches_the_worked_example()
    {
        using var bias = Buffer(0, 0.6f, 0.3f, -0.4f);
        using var plan = new ExpertPlan();
        Ops.Route(On(Of(4, 1, -0.5f, 0.2f, 2)), bias, new(RouterScore.Sigmoid, 2), plan);
        plan.Fetch(Ops);
        Assert.That(plan.Ids[..2], Is.EqualTo(new[] { 1, 2 }));
        Assert.That(plan.Gates[0], Is.EqualTo(0.407107f).Within(1e-6f));
        Assert.That(plan.Gates[1], Is.EqualTo(0.592893f).Within(1e-6f));
    }

    [Test]
    public void Without_a_bias_the_largest_scores_are_chosen()
    {
        using var plan = new ExpertPlan();
        Ops.Route(On(Of(4, 1, -0.5f, 0.2f, 2)), null, new(RouterScore.Sigmoid, 2), plan);
        plan.Fetch(Ops);
        Assert.That(plan.Ids[..2], Is.EqualTo(new[] { 0, 3 }));
    }

    [Test]
    public void Of_equal_experts_the_lower_ids_are_chosen()
    {
        using var plan = new ExpertPlan();
        Ops.Route(On(Of(6, 1, 3, 2, 2, 2, 2)), null, new(RouterScore.Sigmoid, 3), plan);
        plan.Fetch(Ops);
        Assert.That(plan.Ids[..3], Is.EqualTo(new[] { 1, 2, 3 }));
        Ops.Route(On(Of(6, 5, 5, 5, 5, 5, 5)), null, new(RouterScore.Sigmoid, 4), plan);
        plan.Fetch(Ops);
        Assert.That(plan.Ids[..4], Is.EqualTo(new[] { 0, 1, 2, 3 }));
        Assert.That(plan.Gates[..4], Is.All.EqualTo(0.25f));
    }

    [Test]
    public void Matches_the_reference_and_sorts_by_expert([Values(1, 5, 200)] int tokens, [Values(4, 37, 256)] int experts,
        [Values(1, 3, 4)] int perToken)
    {
        var logits = Random(tokens, experts, seed: 1, scale: 5);
        using var bias = RandomBuffer(experts, seed: 2);
        var (plan, expected) = (new ExpertPlan(), new ExpertPlan());
        Ops.Route(On(logits), bias, new(RouterScore.Sigmoid, perToken), plan);
        plan.Fetch(Ops);
        expected.Prepare(tokens, perToken, experts);
        RouteOp.Reference(logits, bias, new(RouterScore.Sigmoid, perToken), expected);
        expected.Sort();

        Assert.That(plan.Ids[..plan.Pairs], Is.EqualTo(expected.Ids[..plan.Pairs]));
        Assert.That(plan.Gates[..plan.Pairs], Is.EqualTo(expected.Gates[..plan.Pairs]).Within(1).Ulps);
        Assert.That(plan.PairToken[..plan.Pairs], Is.EqualTo(expected.PairToken[..plan.Pairs]));
        Assert.That(plan.Offsets[..(experts + 1)], Is.EqualTo(expected.Offsets[..(experts + 1)]));
    }

    [Test]
    public void Softmax_gates_are_shares_of_all_experts_or_of_the_chosen()
    {
        var logits = Of(4, 1, -0.5f, 0.2f, 2);
        double[] e = [Math.Exp(1), Math.Exp(-0.5), Math.Exp(0.2), Math.Exp(2)];
        using var plan = new ExpertPlan();
        Ops.Route(On(logits), null, new(RouterScore.Softmax, 2) { Normalize = false }, plan);
        plan.Fetch(Ops);
        Assert.That(plan.Ids[..2], Is.EqualTo(new[] { 0, 3 }));
        Assert.That(plan.Gates[0], Is.EqualTo(e[0] / e.Sum()).Within(1e-6));
        Assert.That(plan.Gates[1], Is.EqualTo(e[3] / e.Sum()).Within(1e-6));
        Ops.Route(On(logits), null, new(RouterScore.Softmax, 2) { Scale = 2.5f }, plan);
        plan.Fetch(Ops);
        Assert.That(plan.Gates[0], Is.EqualTo(2.5 * e[0] / (e[0] + e[3])).Within(1e-6));
        Assert.That(plan.Gates[1], Is.EqualTo(2.5 * e[3] / (e[0] + e[3])).Within(1e-6));
    }

    [Test]
    public void Softmax_tells_experts_apart_whose_shares_round_to_the_same()
    {
        using var plan = new ExpertPlan();
        Ops.Route(On(Of(3, 100, -200, -199)), null, new(RouterScore.Softmax, 2), plan);
        plan.Fetch(Ops);
        Assert.That(plan.Ids[..2], Is.EqualTo(new[] { 0, 2 }));
    }

    [Test]
    public void Only_the_experts_of_the_best_groups_are_chosen()
    {
        // Groups of three: the second has the best expert, the first and the third the best pairs.
        var logits = Of(9, 1, 1.1f, -5, 3, -9, -9, 2, -5, 2);
        using var plan = new ExpertPlan();
        Ops.Route(On(logits), null, new(RouterScore.Sigmoid, 3) { Groups = 3, GroupsPerToken = 2 }, plan);
        plan.Fetch(Ops);
        Assert.That(plan.Ids[..3], Is.EqualTo(new[] { 1, 6, 8 }));
        using var bias = Buffer(0, 0, 0, 1, 0, 0, 0, 0, 0);
        Ops.Route(On(logits), bias, new(RouterScore.Sigmoid, 3) { Groups = 3, GroupsPerToken = 1 }, plan);
        plan.Fetch(Ops);
        Assert.That(plan.Ids[..3], Is.EqualTo(new[] { 3, 4, 5 }), "the group's best pair counts the bias");
    }

    [Test]
    public void Every_rule_matches_the_reference(
        [Values] bool softmax, [Values] bool normalize, [Values(1, 4)] int groups, [Values(1, 3)] int kept, [Values] bool biased)
    {
        var logits = Random(60, 32, seed: 4, scale: 6);
        using var bias = biased ? RandomBuffer(32, seed: 5) : null;
        var routing = new Routing(softmax ? RouterScore.Softmax : RouterScore.Sigmoid, 5)
        { Normalize = normalize, Scale = 1.7f, Groups = groups, GroupsPerToken = Math.Min(groups, kept) };
        var (plan, expected) = (new ExpertPlan(), new ExpertPlan());
        Ops.Route(On(logits), bias, routing, plan);
        plan.Fetch(Ops);
        expected.Prepare(60, 5, 32);
        RouteOp.Reference(logits, bias, routing, expected);
        Assert.That(plan.Ids[..plan.Pairs], Is.EqualTo(expected.Ids[..plan.Pairs]));
        Assert.That(plan.Gates[..plan.Pairs], Is.EqualTo(expected.Gates[..plan.Pairs]).Within(2).Ulps);
        for (var t = 0; t < 60; t++)
        {
            using var alone = new ExpertPlan();
            Alone.Route(Alone.ToDevice(logits.Slice(t, 1)), bias, routing, alone);
            alone.Fetch(Alone);
            AssertSameBits(alone.Gates.AsSpan(0, 5), plan.Gates.AsSpan(5 * t, 5), $"token {t}");
        }
    }

    [Test]
    public void What_is_no_number_is_chosen_last()
    {
        using var plan = new ExpertPlan();
        Ops.Route(On(Of(4, float.NaN, -3, float.NaN, 1)), null, new(RouterScore.Sigmoid, 2), plan);
        plan.Fetch(Ops);
        Assert.That(plan.Ids[..2], Is.EqualTo(new[] { 1, 3 }));
        Ops.Route(On(Of(4, float.NaN, float.NaN, float.NaN, float.NaN)), null, new(RouterScore.Sigmoid, 2), plan);
        plan.Fetch(Ops);
        Assert.That(plan.Ids[..2], Is.EqualTo(new[] { 0, 1 }), "ids stay valid and distinct");
    }

    [Test]
    public void A_token_has_the_same_gates_alone()
    {
        var logits = Random(50, 64, seed: 1, scale: 5);
        var (whole, alone) = (new ExpertPlan(), new ExpertPlan());
        Ops.Route(On(logits), null, new(RouterScore.Sigmoid, 6), whole);
        whole.Fetch(Ops);
        for (var t = 0; t < 50; t++)
        {
            Alone.Route(Alone.ToDevice(logits.Slice(t, 1)), null, new(RouterScore.Sigmoid, 6), alone);
            alone.Fetch(Alone);
            AssertSameBits(alone.Gates.AsSpan(0, 6), whole.Gates.AsSpan(6 * t, 6), $"token {t}");
        }
    }

    [Test]
    public void Allocates_nothing()
    {
        NeedsSilentLaunches();
        if (Ops.Device.Isa == Isa.Reference) Assert.Ignore("The reference may allocate.");
        var logits = On(Random(20, 256, seed: 1));
        using var plan = new ExpertPlan();
        var routing = new Routing(RouterScore.Sigmoid, 8);
        Assert.That(Allocated(() => Ops.Route(logits, null, routing, plan)), Is.Zero);
    }
}
