using BenchmarkDotNet.Attributes;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;

namespace Quilt.Perf.Kernels;

/// <summary>The hidden values of 4 experts a token, 2880 wide, as in gpt-oss.</summary>
public class ClampedSwigluBench : OpBench
{
    private Matrix gate;
    private Matrix up;
    private Matrix y;

    [Params(1, 512)]
    public int Tokens { get; set; }

    public override long BytesMoved => 3L * Tokens * 4 * 2880 * sizeof(float);

    [GlobalSetup]
    public void Open()
    {
        gate = Random(Tokens * 4, 2880);
        up = Random(Tokens * 4, 2880);
        y = Random(Tokens * 4, 2880);
    }

    [Benchmark]
    public void Run() => Ops.ClampedSwiglu(gate, up, 7, y);
}
