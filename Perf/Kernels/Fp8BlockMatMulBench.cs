using BenchmarkDotNet.Attributes;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights;
using Quilt.Kernels.Weights.Tiles;

namespace Quilt.Perf.Kernels;

/// <summary>The query projection of MiniMax-M2.5, [6144, 3072] in FP8 blocks of 128 x 128, 19 MB: eight layers' worth, in turn.</summary>
public class Fp8BlockMatMulBench : WeightBench
{
    private const int Rows = 6144;
    private readonly Fp8BlockWeight[] weights = new Fp8BlockWeight[8];
    private Matrix x;
    private Matrix y;
    private int next;

    public override long BytesMoved => ((long)Rows * Model) + (4L * Tokens * (Rows + Model));

    public override double Operations => 2.0 * Tokens * Rows * Model;

    [GlobalSetup]
    public void Open()
    {
        // No NaN, few subnormals, as in a real checkpoint.
        for (var i = 0; i < weights.Length; i++)
        {
            weights[i] = Fill<Fp8Format, Fp8BlockWeight>(new Fp8BlockWeight("q", 1, Rows, Model, 128, 128),
                random => (uint)((random.Next(2) << 7) | random.Next(0x08, 0x7F)));
        }
        (x, y) = (Random(Tokens, Model), Random(Tokens, Rows));
    }

    [Benchmark]
    public void Run() => weights[next++ % weights.Length].MatMul(Ops, x, y);
}
