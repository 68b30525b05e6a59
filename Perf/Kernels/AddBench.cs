using BenchmarkDotNet.Attributes;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;

namespace Quilt.Perf.Kernels;

/// <summary>The residual stream of MiniMax-M2.5, [tokens, 3072].</summary>
public class AddBench : OpBench
{
    private Matrix x;
    private Matrix y;

    [Params(1, 512)]
    public int Tokens { get; set; }

    public override long BytesMoved => 3L * Tokens * Model * sizeof(float);

    [GlobalSetup]
    public void Open()
    {
        x = Random(Tokens, Model);
        y = Random(Tokens, Model);
    }

    [Benchmark]
    public void Run() => Ops.Add(x, y);
}
