using BenchmarkDotNet.Attributes;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;

namespace Quilt.Perf.Kernels;

/// <summary>The hidden values of 8 experts a token, 1536 wide, as in MiniMax-M2.5.</summary>
public class SiluMulBench : OpBench
{
    private Matrix gate;
    private Matrix up;
    private Matrix y;

    [Params(1, 512)]
    public int Tokens { get; set; }

    public override long BytesMoved => 3L * Tokens * 8 * 1536 * sizeof(float);

    [GlobalSetup]
    public void Open()
    {
        gate = Random(Tokens * 8, 1536);
        up = Random(Tokens * 8, 1536);
        y = Random(Tokens * 8, 1536);
    }

    [Benchmark]
    public void Run() => Ops.SiluMul(gate, up, y);
}
