using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;

namespace Quilt.Tests.Kernels.Ops;

[TestFixtureSource(typeof(Target), nameof(Target.All))]
public sealed class RmsNormTests(Target target) : OpTests(target)
{
    [Test]
    public void Matches_the_worked_example()
    {
        var x = On(Of(4, 1, 2, -2, 0.5f));
        using var gain = Buffer(1, 1, 1, 1);
        Ops.RmsNorm(x, gain, 1e-6f, x);
        AssertClose(Back(x), Of(4, 0.657596f, 1.315192f, -1.315192f, 0.328798f), 1e-6f);
    }

    [Test]
    public void Matches_the_reference([Range(1, 67)] int columns, [Values(1, 5)] int rows) => Check(rows, columns);

    [TestCase(1, 3072)]
    [TestCase(3, 6144)]
    [TestCase(40, 1024)]
    public void Matches_the_reference_at_real_widths(int rows, int columns) => Check(rows, columns);

    [TestCase(0f)]
    [TestCase(1e-18f)]
    [TestCase(1e15f)]
    public void Tiny_and_huge_rows_stay_finite(float scale)
    {
        var x = Random(1, 100, seed: 1, scale);
        using var gain = RandomBuffer(100, seed: 2);
        var (y, expected) = (Ops.Scratch(1, 100), Ops.HostScratch(1, 100));
        Ops.RmsNorm(On(x), gain, 1e-6f, y);
        RmsNormOp.Reference(x, gain, 1e-6f, expected);
        AssertClose(Back(y), expected, 2e-6f);
    }

    [Test]
    public void A_row_has_the_same_bits_whatever_stands_beside_it([Values(33, 67, 200)] int columns)
    {
        var x = Random(300, columns, seed: 4, scale: 9);
        using var gain = RandomBuffer(columns, seed: 5);
        var whole = Ops.Scratch(300, columns);
        Ops.RmsNorm(On(x), gain, 1e-6f, whole);
        whole = Back(whole);
        for (var row = 0; row < 300; row += 7)
        {
            var y = Alone.Scratch(1, columns);
            Alone.RmsNorm(Alone.ToDevice(x.Slice(row, 1)), gain, 1e-6f, y);
            AssertSameBits(Alone.ToHost(y).Values, whole.Row(row), $"row {row}");
        }
    }

    [Test]
    public void Adding_first_gives_the_same_bits_as_the_two_operations([Values(1, 3, 16, 67, 600)] int columns, [Values(1, 5)] int rows)
    {
        var (x, update) = (Random(rows, columns, seed: 7, scale: 3), Random(rows, columns, seed: 8, scale: 3));
        using var gain = RandomBuffer(columns, seed: 5);
        var (together, y) = (On(Copy(x)), Ops.Scratch(rows, columns));
        Ops.AddRmsNorm(On(update), together, gain, 1e-6f, y);
        var (apart, expected) = (On(Copy(x)), Ops.Scratch(rows, columns));
        Ops.Add(On(update), into: apart);
        Ops.RmsNorm(apart, gain, 1e-6f, expected);
        AssertSameBits(Back(together).Values, Back(apart).Values, "sum");
        AssertSameBits(Back(y).Values, Back(expected).Values, "norm");
    }

    [Test]
    public void Allocates_nothing()
    {
        NeedsSilentLaunches();
        var x = On(Random(60, 1024, seed: 1));
        using var gain = RandomBuffer(1024, seed: 2);
        Assert.That(Allocated(() => Ops.RmsNorm(x, gain, 1e-6f, x)), Is.Zero);
    }

    private void Check(int rows, int columns)
    {
        var x = Random(rows, columns, seed: columns, scale: 3);
        using var gain = RandomBuffer(columns, seed: 2);
        var (y, expected) = (Ops.Scratch(rows, columns), Ops.HostScratch(rows, columns));
        Ops.RmsNorm(On(x), gain, 1e-6f, y);
        RmsNormOp.Reference(x, gain, 1e-6f, expected);
        AssertClose(Back(y), expected, 2e-6f);

        x = On(x);
        Ops.RmsNorm(x, gain, 1e-6f, x);
        AssertSameBits(Back(x).Values, Back(y).Values, "in place");
    }
}
