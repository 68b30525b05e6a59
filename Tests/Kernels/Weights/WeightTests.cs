using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Kernels.Weights;

namespace Quilt.Tests.Kernels.Weights;

/// <summary>Every storage format on every instruction set, held to the reference product and to itself.</summary>
[TestFixtureSource(typeof(Target), nameof(Target.All))]
public sealed class WeightTests(Target target) : OpTests(target)
{
    private static readonly (int Rows, int Columns)[] Shapes = [(1, 32), (7, 33), (15, 70), (16, 96), (17, 128), (64, 64), (65, 160), (130, 256)];

    [Test]
    public void Multiplies_as_the_reference_does([ValueSource(typeof(RandomWeights), nameof(RandomWeights.Kinds))] string kind,
        [Values(1, 2, 4, 5, 9)] int tokens)
    {
        foreach (var (rows, columns) in Shapes)
        {
            using var w = RandomWeights.Make(kind, 1, rows, columns, seed: rows);
            using var on = Target.Place(w);
            var x = Random(tokens, columns, seed: columns);
            var expected = Ops.HostScratch(tokens, rows);
            var actual = Ops.Scratch(tokens, rows);

            ReferenceMatMul.Run(w, x, expected);
            on.MatMul(Ops, On(x), actual);

            AssertClose(Back(actual), expected, within: Target.SumError * Magnitude(w, x));
        }
    }

    [Test]
    public void Gives_each_token_the_same_bits_alone_and_beside_others_on_any_number_of_threads(
        [ValueSource(typeof(RandomWeights), nameof(RandomWeights.Kinds))] string kind)
    {
        using var w = RandomWeights.Make(kind, 1, 149, 224, seed: 1);
        using var on = Target.Place(w);
        var x = Random(11, 224, seed: 2);
        var together = Ops.Scratch(11, 149);
        on.MatMul(Ops, On(x), together);
        together = Back(together);

        for (var t = 0; t < 11; t++)
        {
            var alone = Alone.Scratch(1, 149);
            on.MatMul(Alone, Alone.ToDevice(x.Slice(t, 1)), alone);
            AssertSameBits(Alone.ToHost(alone).Row(0), together.Row(t), $"token {t}");
        }
    }

    [Test]
    public void Multiplies_the_rows_of_each_expert_as_that_expert_alone(
        [ValueSource(typeof(RandomWeights), nameof(RandomWeights.Kinds))] string kind, [Values] bool byPair)
    {
        const int Experts = 5, PerToken = 2, Tokens = 7, Rows = 37, Columns = 64;
        using var w = RandomWeights.Make(kind, Experts, Rows, Columns, seed: 3);
        using var on = Target.Place(w);
        var random = new Random(4);
        using var plan = new ExpertPlan();
        plan.Prepare(Tokens, PerToken, Experts);
        for (var t = 0; t < Tokens; t++)
        {
            // Expert 3 stays empty.
            new[] { 0, 1, 2, 4 }.OrderBy(_ => random.Next()).Take(PerToken).Order().ToArray().CopyTo(plan.Ids, t * PerToken);
        }
        plan.Sort();
        var x = Random(byPair ? plan.Pairs : Tokens, Columns, seed: 5);
        var y = Ops.Scratch(plan.Pairs, Rows);
        var expected = Ops.HostScratch(plan.Pairs, Rows);

        on.MatMulExperts(Ops, On(x), plan, byPair ? ExpertRows.Pairs : ExpertRows.Tokens, y);
        ReferenceMatMul.Run(w, x, plan, byPair ? ExpertRows.Pairs : ExpertRows.Tokens, expected);

        AssertClose(Back(y), expected, within: Target.SumError * Magnitude(w, x));
    }

    [Test]
    public void Allocates_nothing([ValueSource(typeof(RandomWeights), nameof(RandomWeights.Kinds))] string kind)
    {
        NeedsSilentLaunches();
        if (Target.IsReference) Assert.Ignore("The reference is written to be read.");
        using var w = Target.Place(RandomWeights.Make(kind, 1, 130, 200, seed: 1));
        var x = On(Random(6, 200, seed: 2));
        var y = Ops.Scratch(6, 130);
        for (var warm = 0; warm < 3; warm++) w.MatMul(Ops, x, y);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 10; i++) w.MatMul(Ops, x, y);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    /// <summary>The largest Σ |w| · |x| of an output: what rounding errors are measured against.</summary>
    private static float Magnitude(Weight w, Matrix x)
    {
        var row = new float[w.Columns];
        var largest = 0f;
        for (var e = 0; e < w.Experts; e++)
        {
            for (var n = 0; n < w.Rows; n++)
            {
                w.Dequantize(e, n, row);
                for (var t = 0; t < x.Rows; t++)
                {
                    var sum = 0f;
                    for (var k = 0; k < row.Length; k++) sum += Math.Abs(row[k] * x.Row(t)[k]);
                    largest = Math.Max(largest, sum);
                }
            }
        }
        return largest;
    }
}
