using BenchmarkDotNet.Attributes;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;

namespace Quilt.Perf.Kernels;

/// <summary>The norm of a layer of MiniMax-M2.5, 3072 wide, and of its queries, 6144 wide over all heads.</summary>
public class RmsNormBench : OpBench
{
    private Matrix x;
    private NativeBuffer gain = null!;

    [Params(1, 512)]
    public int Tokens { get; set; }

    [Params(3072, 6144)]
    public int Columns { get; set; }

    public override long BytesMoved => 2L * Tokens * Columns * sizeof(float);

    [GlobalSetup]
    public void Open()
    {
        x = Random(Tokens, Columns);
        gain = Ones(Columns);
    }

    [Benchmark]
    public void Run() => Ops.RmsNorm(x, gain, 1e-6f, x);
}
