using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;

namespace Quilt.Tests.Kernels.Ops;

/// <summary>The norm of rows that lie on several devices: squares of each part, summed, then each part by the root of the whole.</summary>
[TestFixtureSource(typeof(Target), nameof(Target.All))]
public sealed class RmsNormSplitTests(Target target) : OpTests(target)
{
    [Test]
    public void Two_parts_give_the_norm_of_the_whole([Values(1, 16, 67, 200, 3072)] int columns, [Values(1, 5)] int rows)
    {
        var x = Random(rows, 2 * columns, seed: columns, scale: 3);
        using var gain = RandomBuffer(2 * columns, seed: 2);
        var expected = Ops.HostScratch(rows, 2 * columns);
        RmsNormOp.Reference(x, gain, 1e-6f, expected);
        var halves = new[] { Half(x, 0), Half(x, 1) };
        var sums = Ops.HostScratch(rows, 2);
        sums.Values.Clear();
        foreach (var half in halves)
        {
            var squares = Ops.Scratch(rows, 2);
            Ops.Squares(On(half), On(half), countsKeys: true, squares);
            var found = Back(squares);
            var wanted = Ops.HostScratch(rows, 2);
            RmsNormOp.SquaresReference(half, half, countsKeys: true, wanted);
            AssertClose(found, wanted, 2e-6f * columns * 9);
            for (var i = 0; i < sums.Values.Length; i++) sums.Values[i] += found.Values[i];
        }
        for (var h = 0; h < 2; h++)
        {
            using var own = new NativeBuffer(columns * sizeof(float));
            gain.Span<float>(h * columns, columns).CopyTo(own.Span<float>(0, columns));
            var y = On(Copy(halves[h]));
            Ops.RmsNormBy(y, On(sums), column: h, 2 * columns, own, 1e-6f);
            AssertClose(Back(y), Half(expected, h), 3e-6f);
        }
    }

    [Test]
    public void Keys_that_another_device_counts_are_none_here()
    {
        var squares = Ops.Scratch(1, 2);
        Ops.Squares(On(Of(3, 1, 2, 3)), On(Of(2, 5, 6)), countsKeys: false, squares);
        AssertClose(Back(squares), Of(2, 14, 0), 1e-6f);
    }

    private Matrix Half(Matrix x, int half)
    {
        var columns = x.Columns / 2;
        var part = Ops.HostScratch(x.Rows, columns);
        for (var row = 0; row < x.Rows; row++) x.Row(row).Slice(half * columns, columns).CopyTo(part.Row(row));
        return part;
    }
}
