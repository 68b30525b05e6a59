using BenchmarkDotNet.Attributes;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;

namespace Quilt.Perf.Kernels;

/// <summary>The last row of each sequence, 3072 wide.</summary>
public class GatherBench : OpBench
{
    private Matrix x;
    private Matrix y;
    private int[] rows = [];

    [Params(1, 512)]
    public int Tokens { get; set; }

    public override long BytesMoved => 2L * Tokens * Model * sizeof(float);

    [GlobalSetup]
    public void Open()
    {
        x = Random(2 * Tokens, Model);
        y = Random(Tokens, Model);
        rows = Enumerable.Range(0, Tokens).Select(t => 2 * t).ToArray();
    }

    [Benchmark]
    public void Run() => Ops.Gather(x, rows, y);
}
