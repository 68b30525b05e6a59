using CsCheck;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;

namespace Quilt.Tests.Kernels.Ops;

[TestFixtureSource(typeof(Target), nameof(Target.All))]
public sealed class TopKTests(Target target) : OpTests(target)
{
    private const float Nan = float.NaN;
    private const float Out = float.NegativeInfinity;

    [Test]
    public void Matches_the_worked_example()
    {
        var y = Run(Of(4, 1, 3, 2, 3), 3, [0.5f]);
        Assert.That(y.Values[..3].ToArray(), Is.EqualTo(new[] { 3f, 3, 2 }));
        Assert.That(y.Values[3..6].ToArray(), Is.EqualTo(new[] { 1f, 3, 2 }), "of equals the lower id first");
        Assert.That(y.Values[6], Is.EqualTo(2 + Math.Exp(-1) + Math.Exp(-2)).Within(1e-6));
        Assert.That(y.Values[7], Is.EqualTo(2 + Math.Exp(-0.5) + Math.Exp(-1)).Within(1e-6));
    }

    [Test]
    public void Matches_the_reference([Values(1, 2, 3)] int rows, [Values(1, 5, 256, 4096, 4097, 9000)] int columns, [Values(1, 2, 41, 256)] int k) =>
        AssertReference(Random(rows, columns, seed: rows + columns, scale: 12), Math.Min(k, columns), [0, 1.25f, 0.5f]);

    [Test]
    public void A_row_as_wide_as_a_large_vocabulary_matches_the_reference([Values(1, 41, 256)] int k) =>
        AssertReference(Random(2, 200_064, seed: k, scale: 15), k, [1.5f, 0]);

    [Test]
    public void Equals_keep_their_order_across_parts([Values(1, 7, 256)] int k)
    {
        var x = Ops.HostScratch(2, 13_000);
        for (var i = 0; i < x.Columns; i++) (x.Row(0)[i], x.Row(1)[i]) = (i % 3, i % 1000 == 999 ? 5 : -5);
        AssertReference(x, k, [1, 1]);
    }

    [Test]
    public void Numbers_out_of_the_ordinary_have_their_order()
    {
        var y = Run(Of(8, -0f, Out, 0f, Nan, float.PositiveInfinity, -Nan, float.Epsilon, -3), 8, [0]);
        Assert.That(y.Values[8..16].ToArray(), Is.EqualTo(new[] { 3f, 5, 4, 6, 2, 0, 7, 1 }));
        Assert.That(y.Values[..5].ToArray(), Is.EqualTo(new[] { Nan, Nan, float.PositiveInfinity, float.Epsilon, 0 }));
    }

    [Test]
    public void A_row_without_anything_gives_the_first_ids_and_no_sum()
    {
        var x = Ops.HostScratch(1, 5000);
        x.Values.Fill(Out);
        var y = Run(x, 3, [1]);
        Assert.That(y.Values[..3].ToArray(), Is.All.EqualTo(Out));
        Assert.That(y.Values[3..6].ToArray(), Is.EqualTo(new[] { 0f, 1, 2 }));
        Assert.That(y.Values[6..].ToArray(), Is.All.Zero);
    }

    [Test]
    public void Any_row_matches_the_reference()
    {
        var value = Gen.Frequency((6, Gen.Single[-4, 4]), (4, Gen.Int[-2, 2].Select(i => (float)i)),
            (1, Gen.OneOf(Gen.Const(Out), Gen.Const(Nan), Gen.Const(-0f), Gen.Const(float.PositiveInfinity))));
        Gen.Select(value.Array[1, 300], Gen.Int[1, 256]).Sample((values, k) =>
        {
            Reset();
            AssertReference(Of(values.Length, values), Math.Min(k, values.Length), [0.75f]);
        }, iter: Target.IsGpu ? 60 : 400, threads: 1);
    }

    [Test]
    public void A_row_has_the_same_bits_alone()
    {
        var x = Random(5, 9000, seed: 3, scale: 10);
        float[] scales = [1, 0, 2, 0.5f, 1];
        var whole = Run(x, 20, scales);
        for (var row = 0; row < 5; row++)
        {
            var alone = Alone.Scratch(1, TopKOp.Width(20));
            Alone.TopK(Alone.ToDevice(x.Slice(row, 1)), 20, Alone.Place([BitConverter.SingleToInt32Bits(scales[row])]), alone);
            AssertSameBits(Alone.ToHost(alone).Values, whole.Row(row), $"row {row}");
        }
    }

    [Test]
    public void Allocates_nothing()
    {
        NeedsSilentLaunches();
        if (Ops.Device.Isa == Isa.Reference) Assert.Ignore("The reference may allocate.");
        var (x, y) = (On(Random(3, 5000, seed: 1)), Ops.Scratch(3, TopKOp.Width(40)));
        int[] scales = [0, 0, 0];
        Assert.That(Allocated(() => Ops.TopK(x, 40, scales, y)), Is.Zero);
    }

    private Matrix Run(Matrix x, int k, float[] scales)
    {
        var y = Ops.Scratch(x.Rows, TopKOp.Width(k));
        Ops.TopK(On(x), k, Ops.Place(Array.ConvertAll(scales, BitConverter.SingleToInt32Bits)), y);
        return Back(y);
    }

    private void AssertReference(Matrix x, int k, float[] scales)
    {
        scales = [.. Enumerable.Range(0, x.Rows).Select(row => scales[row % scales.Length])];
        var expected = Ops.HostScratch(x.Rows, TopKOp.Width(k));
        TopKOp.Reference(x, k, Array.ConvertAll(scales, BitConverter.SingleToInt32Bits), expected);
        var actual = Run(x, k, scales);
        for (var row = 0; row < x.Rows; row++)
        {
            var a = actual.Row(row);
            var e = expected.Row(row);
            // What is no number may be another one.
            Assert.That(a[..k].ToArray(), Is.EqualTo(e[..k].ToArray()), "values");
            Assert.That(a.Slice(k, k).ToArray(), Is.EqualTo(e.Slice(k, k).ToArray()), "ids");
            if (!float.IsFinite(e[0])) continue;
            Assert.That(a[2 * k], Is.EqualTo(e[2 * k]).Within(1e-6 * e[2 * k]), "sum");
            Assert.That(a[(2 * k) + 1], Is.EqualTo(e[(2 * k) + 1]).Within(2e-6 * e[(2 * k) + 1]), "scaled sum");
        }
    }
}
