using Quilt.Formats.Numerics;
using Quilt.Formats.Tensors;
using Quilt.Kernels.Devices;
using Quilt.Quantizer.Awq.Refined;
using Quilt.Quantizer.Recipes;

namespace Quilt.Tests.Quantizer.Awq;

/// <summary>The search for the scale of each group.</summary>
public sealed class GroupScaleSearchTests
{
    [Test]
    public void Errs_no_more_than_plain_rounding_and_uses_the_outermost_code(
        [Values(16, 24, 32, 48, 128)] int group, [Values(4, 8)] int bits, [Values] bool quick)
    {
        const int Rows = 7;
        const int Groups = 3;
        var random = new Random(3);
        float[] Some(int count, float scale) => [.. Enumerable.Range(0, count).Select(_ => BFloat16.Round((random.NextSingle() - 0.5f) * scale))];
        var columns = group * Groups;
        var weight = Some(Rows * columns, 2);
        var scales = Some(columns, 1).Select(value => 1 + value).ToArray();
        var importance = Some(columns, 1).Select(value => 0.6f + value).ToArray();
        var coder = new RowCoder(DType.BF16, new WeightScheme(ScaleStrategy.Group, IsFloat: false, bits, GroupSize: group), columns);
        var found = new float[Rows * Groups];
        using var pool = new WorkPool(2);
        GroupScaleSearch.Run(pool, coder, weight, scales, [], importance, found, quick);

        var (row, plain) = (new float[columns], new float[Groups]);
        var better = 0;
        for (var r = 0; r < Rows; r++)
        {
            coder.Scale(weight.AsSpan(r * columns, columns), scales, 1, row);
            coder.FindScales(row, plain, default);
            for (var g = 0; g < Groups; g++)
            {
                var scale = found[(r * Groups) + g];
                var (with, without) = (Error(g, scale), Error(g, plain[g]));
                Assert.That(with, Is.LessThanOrEqualTo(without * 1.0001), $"row {r}, group {g}");
                Assert.That(BFloat16.Round(scale), Is.EqualTo(scale));
                Assert.That(Enumerable.Range(g * group, group).Max(c => Math.Abs(Code(row[c], scale))),
                    Is.GreaterThanOrEqualTo((1 << (bits - 1)) - 1), $"row {r}, group {g}");
                if (with < without * 0.99) better++;
            }
        }
        // Of eight bits plain rounding is hard to beat: the steps between the shares are larger than a code.
        if (bits == 4) Assert.That(better, Is.GreaterThan(Rows * Groups / 2));

        double Error(int g, float scale) =>
            Enumerable.Range(g * group, group).Sum(c => importance[c] * Math.Pow(row[c] - (Code(row[c], scale) * scale), 2));

        float Code(float value, float scale) => MathF.Round(Math.Clamp(value / scale, -(1 << (bits - 1)), (1 << (bits - 1)) - 1));
    }
}
