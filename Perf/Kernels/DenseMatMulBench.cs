using BenchmarkDotNet.Attributes;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights;
using Quilt.Kernels.Weights.Tiles;

namespace Quilt.Perf.Kernels;

/// <summary>A head of 32,768 rows on the width of MiniMax-M2.5, [32768, 3072] in bfloat16: 201 MB, more than any cache.</summary>
public class DenseMatMulBench : WeightBench
{
    private const int Rows = 32768;
    private BFloat16Weight weight = null!;
    private Matrix x;
    private Matrix y;

    public override long BytesMoved => (2L * Rows * Model) + (4L * Tokens * (Rows + Model));

    public override double Operations => 2.0 * Tokens * Rows * Model;

    [GlobalSetup]
    public void Open()
    {
        weight = Fill<BFloat16Format, BFloat16Weight>(new BFloat16Weight("head", 1, Rows, Model),
            random => (uint)((random.Next(120, 127) << 7) | random.Next(128)));
        (x, y) = (Random(Tokens, Model), Random(Tokens, Rows));
    }

    [Benchmark]
    public void Run() => weight.MatMul(Ops, x, y);
}
