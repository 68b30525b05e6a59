using BenchmarkDotNet.Attributes;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;

namespace Quilt.Perf.Kernels;

/// <summary>The bias of gpt-oss's queries, [tokens, 4096].</summary>
public class AddBiasBench : OpBench
{
    private Matrix y;
    private NativeBuffer bias = null!;

    [Params(1, 512)]
    public int Tokens { get; set; }

    public override long BytesMoved => 2L * Tokens * 4096 * sizeof(float);

    [GlobalSetup]
    public void Open()
    {
        y = Random(Tokens, 4096);
        bias = Ones(4096);
    }

    [Benchmark]
    public void Run() => Ops.AddBias(bias, y);
}
