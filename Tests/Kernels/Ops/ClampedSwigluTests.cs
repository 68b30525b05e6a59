using Quilt.Kernels.Ops;

namespace Quilt.Tests.Kernels.Ops;

[TestFixtureSource(typeof(Target), nameof(Target.All))]
public sealed class ClampedSwigluTests(Target target) : OpTests(target)
{
    [Test]
    public void Matches_the_reference([Range(1, 67, 3)] int columns, [Values(1, 3, 400)] int rows)
    {
        var (gate, up) = (Random(rows, columns, seed: 1, scale: 20), Random(rows, columns, seed: 2, scale: 20));
        var (y, expected) = (Ops.Scratch(rows, columns), Ops.HostScratch(rows, columns));
        Ops.ClampedSwiglu(On(gate), On(up), 7, y);
        y = Back(y);
        Elementwise<ClampedSwigluOp>.Reference(gate, up, expected, 7);
        AssertClose(y, expected, 1e-5f);

        var alone = Alone.Scratch(1, columns);
        Alone.ClampedSwiglu(Alone.ToDevice(gate.Slice(rows - 1, 1)), Alone.ToDevice(up.Slice(rows - 1, 1)), 7, alone);
        AssertSameBits(Alone.ToHost(alone).Values, y.Row(rows - 1), "a row alone");
        var inPlace = On(gate);
        Ops.ClampedSwiglu(inPlace, On(up), 7, inPlace);
        AssertSameBits(Back(inPlace).Values, y.Values, "in place");
    }

    [Test]
    public void The_gate_is_clamped_from_above_only_and_the_rest_on_both_sides()
    {
        var y = Ops.Scratch(1, 5);
        Ops.ClampedSwiglu(On(Of(5, 7, 100, 7, 7, -300)), On(Of(5, 2, 2, 50, -50, 50)), 7, y);
        y = Back(y);
        var seven = 7 / (1 + Math.Exp(-1.702 * 7));
        Assert.That(y.Values[0], Is.EqualTo(3 * seven).Within(1e-5));
        Assert.That(y.Values[1], Is.EqualTo(y.Values[0]));
        Assert.That(y.Values[2], Is.EqualTo(8 * seven).Within(1e-5));
        Assert.That(y.Values[3], Is.EqualTo(-6 * seven).Within(1e-5));
        Assert.That(y.Values[4], Is.EqualTo(0).Within(1e-30));
    }

    [Test]
    public void Allocates_nothing()
    {
        NeedsSilentLaunches();
        var x = On(Random(60, 1024, seed: 1));
        Assert.That(Allocated(() => Ops.ClampedSwiglu(x, x, 7, x)), Is.Zero);
    }
}
