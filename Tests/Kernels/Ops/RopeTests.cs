using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;

namespace Quilt.Tests.Kernels.Ops;

[TestFixtureSource(typeof(Target), nameof(Target.All))]
public sealed class RopeTests(Target target) : OpTests(target)
{
    [Test]
    public void Frequencies_belong_to_the_rotated_width_not_to_the_head()
    {
        using var table = new RopeTable(64, 5e6, 100);
        Assert.That(table.Frequencies.Length, Is.EqualTo(32));
        Assert.That(table.Frequencies[0], Is.EqualTo(1f));
        Assert.That(table.Frequencies[1], Is.EqualTo(0.617528758f).Within(1e-8f));
        Assert.That(table.Frequencies[31], Is.EqualTo(3.23871556e-07f).Within(1e-14f));
    }

    [Test]
    public void Matches_the_worked_example()
    {
        using var table = new RopeTable(64, 5e6, 100);
        var x = Ops.HostScratch(1, 128);
        x.Values.Fill(7);
        (x.Values[0], x.Values[32], x.Values[1], x.Values[33]) = (1, 2, 1, 0);
        x = On(x);
        Ops.Rope(x, 1, 128, table, new[] { 3 });
        x = Back(x);
        Assert.That(x.Values[0], Is.EqualTo(-1.272232513f).Within(1e-6f));
        Assert.That(x.Values[32], Is.EqualTo(-1.838864985f).Within(1e-6f));
        Assert.That(Math.Atan2(x.Values[33], x.Values[1]), Is.EqualTo(1.852586274).Within(1e-6));
        Assert.That(x.Values[64..].ToArray(), Is.All.EqualTo(7f), "the rest of the head stays");
    }

    [Test]
    public void Matches_the_reference([Values(0, 2, 30, 32, 64)] int rotary, [Values(64, 88, 128)] int headDim, [Values(1, 3)] int heads)
    {
        using var table = new RopeTable(rotary, 1e4, 200_000);
        int[] positions = [0, 1, 511, 512, 3000, 199_999];
        var x = Random(positions.Length, heads * headDim, seed: 1, scale: 4);
        var expected = Copy(x);
        x = On(x);
        Ops.Rope(x, heads, headDim, table, positions);
        RopeOp.Reference(expected, heads, headDim, table, positions);
        AssertClose(Back(x), expected, 2e-6f);
    }

    [Test]
    public void A_row_has_the_same_bits_whatever_stands_beside_it_and_however_the_table_grew()
    {
        var positions = Enumerable.Range(0, 700).ToArray();
        var x = Random(700, 2 * 44, seed: 1);
        var whole = On(Copy(x));
        using (var table = new RopeTable(30, 1e4, 700)) Ops.Rope(whole, 2, 44, table, positions);
        whole = Back(whole);
        using var other = new RopeTable(30, 1e4, 700);
        for (var t = 0; t < 700; t += 37)
        {
            var alone = Alone.ToDevice(Copy(x.Slice(t, 1)));
            Alone.Rope(alone, 2, 44, other, new[] { t });
            AssertSameBits(Alone.ToHost(alone).Values, whole.Row(t), $"position {t}");
        }
    }

    [Test]
    public void With_norms_first_it_is_what_norm_and_rotation_are([Values(0, 10, 16, 44)] int rotaryDim, [Values] bool perHead, [Values] bool queries,
        [Values] bool keys, [Values(1, 5)] int tokens)
    {
        const int HeadDim = 44, Heads = 6, KeyHeads = 2;
        using var table = new RopeTable(rotaryDim, 1e4, 2000);
        var positions = Enumerable.Range(0, tokens).Select(t => 7 * t).ToArray();
        var (q, k) = (Random(tokens, Heads * HeadDim, seed: 1, scale: 3), Random(tokens, KeyHeads * HeadDim, seed: 2, scale: 3));
        using var qGain = RandomBuffer(perHead ? HeadDim : Heads * HeadDim, seed: 3);
        using var kGain = RandomBuffer(perHead ? HeadDim : KeyHeads * HeadDim, seed: 4);
        var (onQ, onK) = (On(Copy(q)), On(Copy(k)));
        Ops.NormRope(onQ, queries ? qGain : null, onK, keys ? kGain : null, HeadDim, perHead, 1e-6f, table, positions);
        AssertClose(Back(onQ), Expected(q, queries ? qGain : null), 1e-5f);
        AssertClose(Back(onK), Expected(k, keys ? kGain : null), 1e-5f);

        Matrix Expected(Matrix x, NativeBuffer? gain)
        {
            var rows = perHead ? x.Cut(x.Columns / HeadDim) : x;
            if (gain is not null) RmsNormOp.Reference(rows, gain, 1e-6f, rows);
            RopeOp.Reference(x, x.Columns / HeadDim, HeadDim, table, positions);
            return x;
        }
    }

    [Test]
    public void Allocates_nothing_once_the_table_is_filled()
    {
        NeedsSilentLaunches();
        using var table = new RopeTable(64, 1e4, 2000);
        int[] positions = [100];
        var x = On(Random(1, 8 * 128, seed: 1));
        Assert.That(Allocated(() => Ops.Rope(x, 8, 128, table, positions)), Is.Zero);
    }
}
