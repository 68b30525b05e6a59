using BenchmarkDotNet.Attributes;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Kernels.Weights;

namespace Quilt.Perf.Kernels;

/// <summary>Rows of a float32 embedding, 3072 wide.</summary>
public class EmbedBench : OpBench
{
    private readonly Table table = new();
    private Matrix y;
    private int[] tokens = [];

    [Params(1, 512)]
    public int Tokens { get; set; }

    public override long BytesMoved => 2L * Tokens * Model * sizeof(float);

    [GlobalSetup]
    public void Open()
    {
        y = Random(Tokens, Model);
        tokens = Enumerable.Range(0, Tokens).Select(t => t * 7 % 1000).ToArray();
    }

    [Benchmark]
    public void Run() => Ops.Embed(tokens, table, y);

    private sealed class Table() : Weight("table", 1, 1000, Model)
    {
        private readonly float[] values = new float[1000 * Model];

        public override long Bytes => values.LongLength * sizeof(float);

        public override string Format => "float32";

        public override void MatMul(OpStream ops, Matrix x, Matrix y) => throw new NotSupportedException();

        public override void MatMulExperts(OpStream ops, Matrix x, ExpertPlan plan, ExpertRows rows, Matrix y) => throw new NotSupportedException();

        public override void Dequantize(int expert, int row, Span<float> into) => values.AsSpan(row * Columns, Columns).CopyTo(into);

        public override void Dispose()
        {
        }
    }
}
