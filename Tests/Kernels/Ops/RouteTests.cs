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
        Ops.Route(On(Of(4, 1, -0.5f, 0.2f, 2)), bias, 2, plan);
        plan.Fetch(Ops);
        Assert.That(plan.Ids[..2], Is.EqualTo(new[] { 1, 2 }));
        Assert.That(plan.Gates[0], Is.EqualTo(0.407107f).Within(1e-6f));
        Assert.That(plan.Gates[1], Is.EqualTo(0.592893f).Within(1e-6f));
    }

    [Test]
    public void Without_a_bias_the_largest_scores_are_chosen()
    {
        using var plan = new ExpertPlan();
        Ops.Route(On(Of(4, 1, -0.5f, 0.2f, 2)), null, 2, plan);
        plan.Fetch(Ops);
        Assert.That(plan.Ids[..2], Is.EqualTo(new[] { 0, 3 }));
    }

    [Test]
    public void Of_equal_experts_the_lower_ids_are_chosen()
    {
        using var plan = new ExpertPlan();
        Ops.Route(On(Of(6, 1, 3, 2, 2, 2, 2)), null, 3, plan);
        plan.Fetch(Ops);
        Assert.That(plan.Ids[..3], Is.EqualTo(new[] { 1, 2, 3 }));
        Ops.Route(On(Of(6, 5, 5, 5, 5, 5, 5)), null, 4, plan);
        plan.Fetch(Ops);
        Assert.That(plan.Ids[..4], Is.EqualTo(new[] { 0, 1, 2, 3 }));
        Assert.That(plan.Gates[..4], Is.All.EqualTo(0.25f));
    }

    [Test]
    public void Matches_the_reference_and_sorts_by_expert([Values(1, 5, 200)] int tokens, [Values(4, 37, 256)] int experts, [Values(1, 3, 4)] int perToken)
    {
        var logits = Random(tokens, experts, seed: 1, scale: 5);
        using var bias = RandomBuffer(experts, seed: 2);
        var (plan, expected) = (new ExpertPlan(), new ExpertPlan());
        Ops.Route(On(logits), bias, perToken, plan);
        plan.Fetch(Ops);
        expected.Prepare(tokens, perToken, experts);
        RouteOp.Reference(logits, bias, perToken, expected);
        expected.Sort();

        Assert.That(plan.Ids[..plan.Pairs], Is.EqualTo(expected.Ids[..plan.Pairs]));
        Assert.That(plan.Gates[..plan.Pairs], Is.EqualTo(expected.Gates[..plan.Pairs]).Within(1).Ulps);
        Assert.That(plan.PairToken[..plan.Pairs], Is.EqualTo(expected.PairToken[..plan.Pairs]));
        Assert.That(plan.Offsets[..(experts + 1)], Is.EqualTo(expected.Offsets[..(experts + 1)]));
    }

    [Test]
    public void What_is_no_number_is_chosen_last()
    {
        using var plan = new ExpertPlan();
        Ops.Route(On(Of(4, float.NaN, -3, float.NaN, 1)), null, 2, plan);
        plan.Fetch(Ops);
        Assert.That(plan.Ids[..2], Is.EqualTo(new[] { 1, 3 }));
        Ops.Route(On(Of(4, float.NaN, float.NaN, float.NaN, float.NaN)), null, 2, plan);
        plan.Fetch(Ops);
        Assert.That(plan.Ids[..2], Is.EqualTo(new[] { 0, 1 }), "ids stay valid and distinct");
    }

    [Test]
    public void A_token_has_the_same_gates_alone()
    {
        var logits = Random(50, 64, seed: 1, scale: 5);
        var (whole, alone) = (new ExpertPlan(), new ExpertPlan());
        Ops.Route(On(logits), null, 6, whole);
        whole.Fetch(Ops);
        for (var t = 0; t < 50; t++)
        {
            Alone.Route(Alone.ToDevice(logits.Slice(t, 1)), null, 6, alone);
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
        Assert.That(Allocated(() => Ops.Route(logits, null, 8, plan)), Is.Zero);
    }
}
