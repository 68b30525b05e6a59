using Quilt.Kernels.Ops;

namespace Quilt.Tests.Kernels.Ops;

[TestFixtureSource(typeof(Target), nameof(Target.All))]
public sealed class SiluMulTests(Target target) : OpTests(target)
{
    [Test]
    public void Matches_the_reference([Range(1, 67, 3)] int columns, [Values(1, 3, 400)] int rows)
    {
        var (gate, up) = (Random(rows, columns, seed: 1, scale: 20), Random(rows, columns, seed: 2, scale: 2));
        var (y, expected) = (Ops.Scratch(rows, columns), Ops.HostScratch(rows, columns));
        Ops.SiluMul(On(gate), On(up), y);
        y = Back(y);
        Elementwise<SiluMulOp>.Reference(gate, up, expected);
        AssertClose(y, expected, 6e-6f);
        for (var i = 0; i < y.Values.Length; i++)
            Assert.That(y.Values[i], Is.EqualTo(expected.Values[i]).Within(Target.IsGpu ? 5e-5 : 2e-5).Percent.Or.EqualTo(0).Within(1e-30));

        var alone = Alone.Scratch(1, columns);
        Alone.SiluMul(Alone.ToDevice(gate.Slice(rows - 1, 1)), Alone.ToDevice(up.Slice(rows - 1, 1)), alone);
        AssertSameBits(Alone.ToHost(alone).Values, y.Row(rows - 1), "a row alone");
        gate = On(gate);
        Ops.SiluMul(gate, On(up), gate);
        AssertSameBits(Back(gate).Values, y.Values, "in place");
    }

    [Test]
    public void Large_inputs_pass_through_or_vanish()
    {
        var gate = On(Of(5, 200, -200, 1e30f, -1e30f, 0));
        Ops.SiluMul(gate, On(Of(5, 1, 1, 1, 1, 1)), gate);
        gate = Back(gate);
        Assert.That(gate.Values[0], Is.EqualTo(200f));
        Assert.That(gate.Values[1], Is.EqualTo(0f).Within(1e-30f));
        Assert.That(gate.Values[2], Is.EqualTo(1e30f));
        Assert.That(gate.Values[3], Is.EqualTo(0f).Within(1e-6f));
        Assert.That(gate.Values[4], Is.Zero);
    }

    [Test]
    public void Allocates_nothing()
    {
        NeedsSilentLaunches();
        var x = On(Random(60, 1024, seed: 1));
        Assert.That(Allocated(() => Ops.SiluMul(x, x, x)), Is.Zero);
    }
}
