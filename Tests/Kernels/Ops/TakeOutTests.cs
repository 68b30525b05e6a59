using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;

namespace Quilt.Tests.Kernels.Ops;

[TestFixtureSource(typeof(Target), nameof(Target.All))]
public sealed class TakeOutTests(Target target) : OpTests(target)
{
    [Test]
    public void Takes_values_and_leaves_minus_infinity()
    {
        var x = On(Of(3, 1, 2, 3, 4, float.NaN, 6));
        var y = Ops.Scratch(1, 3);
        Ops.TakeOut(x, Ops.Place([5, 0, 4]), y);
        Assert.That(Back(y).Values.ToArray(), Is.EqualTo(new[] { 6, 1, float.NaN }));
        Assert.That(Back(x).Values.ToArray(), Is.EqualTo(new[] { float.NegativeInfinity, 2, 3, 4, float.NegativeInfinity, float.NegativeInfinity }));
    }

    [Test]
    public void Matches_the_reference([Values(0, 1, 50, 700)] int count)
    {
        var x = Random(7, 100, seed: count);
        var places = Enumerable.Range(0, 700).Select(i => i * 37 % 700).Take(count).ToArray();
        var (same, expected) = (Copy(x), Ops.HostScratch(1, count));
        TakeOutOp.Reference(same, places, expected);
        var (on, y) = (On(x), Ops.Scratch(1, count));
        Ops.TakeOut(on, Ops.Place(places), y);
        AssertSameBits(Back(y).Values, expected.Values);
        AssertSameBits(Back(on).Values, same.Values);
    }

    [Test]
    public void Allocates_nothing()
    {
        NeedsSilentLaunches();
        if (Ops.Device.Isa == Isa.Reference) Assert.Ignore("The reference may allocate.");
        var (x, y) = (On(Random(2, 100, seed: 1)), Ops.Scratch(1, 3));
        int[] places = [5, 150, 7];
        Assert.That(Allocated(() => Ops.TakeOut(x, places, y)), Is.Zero);
    }
}
