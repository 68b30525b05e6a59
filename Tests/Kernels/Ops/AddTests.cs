using Quilt.Kernels.Ops;

namespace Quilt.Tests.Kernels.Ops;

[TestFixtureSource(typeof(Target), nameof(Target.All))]
public sealed class AddTests(Target target) : OpTests(target)
{
    [Test]
    public void Adds_every_element_once([Range(1, 67, 3)] int columns, [Values(1, 2, 700)] int rows)
    {
        var (x, y) = (Random(rows, columns, seed: 1), Random(rows, columns, seed: 2));
        var expected = Copy(y);
        Elementwise<AddOp>.Reference(expected, x, expected);
        y = On(y);
        Ops.Add(On(x), y);
        AssertSameBits(Back(y).Values, expected.Values);
    }

    [Test]
    public void Allocates_nothing()
    {
        NeedsSilentLaunches();
        var x = On(Random(60, 1024, seed: 1));
        Assert.That(Allocated(() => Ops.Add(x, x)), Is.Zero);
    }
}
