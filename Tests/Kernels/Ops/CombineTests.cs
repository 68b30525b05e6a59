using Quilt.Kernels.Ops;

namespace Quilt.Tests.Kernels.Ops;

[TestFixtureSource(typeof(Target), nameof(Target.All))]
public sealed class CombineTests(Target target) : OpTests(target)
{
    [Test]
    public void Weighs_the_outputs_of_the_chosen_experts()
    {
        using var plan = new ExpertPlan();
        plan.Prepare(tokens: 2, perToken: 2, experts: 3);
        new[] { 1, 2, 0, 1 }.CopyTo(plan.Ids, 0);
        new[] { 0.25f, 0.75f, 0.5f, 0.5f }.CopyTo(plan.Gates, 0);
        plan.Sort();
        // In the plan's order: (token 1, expert 0), (token 0, expert 1), (token 1, expert 1), (token 0, expert 2).
        var pairs = Of(1, 10, 20, 30, 40);
        var y = Ops.Scratch(2, 1);
        Ops.Combine(On(pairs), plan, y);
        Assert.That(Back(y).Values.ToArray(), Is.EqualTo(new[] { 35f, 20f }));
    }

    [Test]
    public void Matches_the_reference([Values(1, 15, 16, 17, 67, 200)] int columns, [Values(1, 5, 300)] int tokens, [Values(1, 8)] int perToken)
    {
        using var plan = new ExpertPlan();
        var logits = Random(tokens, 16, seed: 1, scale: 3);
        Ops.Route(On(logits), null, new(RouterScore.Sigmoid, perToken), plan);
        plan.Fetch(Ops);
        var pairs = Random(plan.Pairs, columns, seed: 2);
        var (y, expected) = (Ops.Scratch(tokens, columns), Ops.HostScratch(tokens, columns));
        Ops.Combine(On(pairs), plan, y);
        y = Back(y);
        CombineOp.Reference(pairs, plan, expected);
        AssertClose(y, expected, 1e-6f);

        // The last token alone: other pairs, other places, the same bits.
        var own = Enumerable.Range((tokens - 1) * perToken, perToken).Select(i => pairs.Row(plan.PairOf[i]).ToArray()).ToArray();
        Alone.Route(Alone.ToDevice(logits.Slice(tokens - 1, 1)), null, new(RouterScore.Sigmoid, perToken), plan);
        var alone = Alone.Scratch(1, columns);
        Alone.Combine(Alone.ToDevice(Of(columns, own.SelectMany(row => row).ToArray())), plan, alone);
        AssertSameBits(Alone.ToHost(alone).Values, y.Row(tokens - 1), "a token alone");
    }

    [Test]
    public void Allocates_nothing()
    {
        using var plan = new ExpertPlan();
        NeedsSilentLaunches();
        Ops.Route(On(Random(30, 16, seed: 1)), null, new(RouterScore.Sigmoid, 4), plan);
        var pairs = On(Random(plan.Pairs, 512, seed: 2));
        var y = Ops.Scratch(30, 512);
        Assert.That(Allocated(() => Ops.Combine(pairs, plan, y)), Is.Zero);
    }
}
