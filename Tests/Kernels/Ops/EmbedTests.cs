using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Kernels.Weights;
using Quilt.Tests.Kernels.Weights;

namespace Quilt.Tests.Kernels.Ops;

[TestFixtureSource(typeof(Target), nameof(Target.All))]
public sealed class EmbedTests(Target target) : OpTests(target)
{
    [Test]
    public void Looks_up_one_row_a_token([Values(1, 20, 67)] int columns, [Values(1, 4, 1500)] int count)
    {
        NotOnGpu("The numbered table is no weight that moves; see below.");
        using var table = new Numbered(50, columns);
        var random = new Random(2);
        var tokens = Enumerable.Range(0, count).Select(_ => random.Next(50)).ToArray();
        var (y, expected) = (Ops.Scratch(count, columns), Ops.Scratch(count, columns));
        Ops.Embed(tokens, table, y);
        EmbedOp.Reference(tokens, table, expected);
        AssertSameBits(y.Values, expected.Values);
        Assert.That(y.Row(count - 1)[columns - 1], Is.EqualTo((1000 * tokens[^1]) + columns - 1));
    }

    [Test]
    public void Looks_up_the_rows_of_a_stored_weight([Values("bf16", "fp8-ragged", "int4-reordered")] string kind, [Values(1, 100)] int count)
    {
        using var table = RandomWeights.Make(kind, 1, 50, 67, seed: 1);
        using var on = Target.Place(table);
        var random = new Random(2);
        var tokens = Enumerable.Range(0, count).Select(_ => random.Next(50)).ToArray();
        var (y, expected) = (Ops.Scratch(count, 67), Ops.HostScratch(count, 67));
        Ops.Embed(tokens, on, y);
        EmbedOp.Reference(tokens, table, expected);
        AssertSameBits(Back(y).Values, expected.Values);
    }

    /// <summary>W[row, c] = 1000 · row + c.</summary>
    private sealed class Numbered(int rows, int columns) : Weight("numbered", 1, rows, columns)
    {
        public override long Bytes => 0;

        public override string Format => "numbers";

        public override void MatMul(OpStream ops, Matrix x, Matrix y) => throw new NotSupportedException();

        public override void MatMulExperts(OpStream ops, Matrix x, ExpertPlan plan, ExpertRows rows, Matrix y) => throw new NotSupportedException();

        public override void Dequantize(int expert, int row, Span<float> into)
        {
            for (var c = 0; c < into.Length; c++) into[c] = (1000 * row) + c;
        }

        public override void Dispose()
        {
        }
    }
}
