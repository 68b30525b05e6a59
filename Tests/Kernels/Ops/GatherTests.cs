using Quilt.Kernels.Ops;

namespace Quilt.Tests.Kernels.Ops;

[TestFixtureSource(typeof(Target), nameof(Target.All))]
public sealed class GatherTests(Target target) : OpTests(target)
{
    [Test]
    public void Takes_rows_in_any_order_and_as_often_as_asked([Values(1, 16, 67)] int columns, [Values(0, 1, 2000)] int count)
    {
        var x = Random(9, columns, seed: 1);
        var random = new Random(2);
        var rows = Enumerable.Range(0, count).Select(_ => random.Next(9)).ToArray();
        var (y, expected) = (Ops.Scratch(count, columns), Ops.HostScratch(count, columns));
        Ops.Gather(On(x), rows, y);
        y = Back(y);
        GatherOp.Reference(x, rows, expected);
        AssertSameBits(y.Values, expected.Values);
        for (var i = 0; i < count; i++) AssertSameBits(y.Row(i), x.Row(rows[i]));
    }
}
