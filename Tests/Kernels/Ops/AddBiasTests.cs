using Quilt.Kernels.Ops;

namespace Quilt.Tests.Kernels.Ops;

[TestFixtureSource(typeof(Target), nameof(Target.All))]
public sealed class AddBiasTests(Target target) : OpTests(target)
{
    [Test]
    public void Adds_the_same_values_to_every_row([Range(1, 67, 3)] int columns, [Values(1, 2, 700)] int rows)
    {
        var y = Random(rows, columns, seed: 1);
        using var bias = RandomBuffer(columns, seed: 2);
        var expected = Copy(y);
        AddBiasOp.Reference(bias, expected, null);
        y = On(y);
        Ops.AddBias(bias, y);
        AssertSameBits(Back(y).Values, expected.Values);
    }

    [Test]
    public void Adds_the_values_of_the_expert_that_a_pair_belongs_to([Values(1, 16, 45)] int columns, [Values(1, 90)] int tokens)
    {
        using var plan = new ExpertPlan();
        Ops.Route(On(Random(tokens, 5, seed: 3)), null, new(RouterScore.Sigmoid, 2), plan);
        var y = Random(plan.Pairs, columns, seed: 1);
        using var bias = RandomBuffer(5 * columns, seed: 2);
        var before = Copy(y);
        y = On(y);
        Ops.AddBias(bias, y, plan);
        y = Back(y);
        plan.Fetch(Ops);
        for (var pair = 0; pair < plan.Pairs; pair++)
        {
            for (var c = 0; c < columns; c++)
                Assert.That(y.Row(pair)[c], Is.EqualTo(before.Row(pair)[c] + bias.Span<float>((plan.PairExpert[pair] * columns) + c, 1)[0]));
        }
    }

    [Test]
    public void Allocates_nothing()
    {
        NeedsSilentLaunches();
        var y = On(Random(60, 1024, seed: 1));
        using var bias = RandomBuffer(1024, seed: 2);
        Assert.That(Allocated(() => Ops.AddBias(bias, y)), Is.Zero);
    }
}
