using BenchmarkDotNet.Attributes;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;

namespace Quilt.Perf.Kernels;

/// <summary>The queries of MiniMax-M2.5: 48 heads of 128, of which 64 dimensions are rotated.</summary>
public class RopeBench : OpBench
{
    private Matrix x;
    private RopeTable table = null!;
    private int[] positions = [];

    [Params(1, 512)]
    public int Tokens { get; set; }

    public override long BytesMoved => 2L * Tokens * 48 * 64 * sizeof(float);

    [GlobalSetup]
    public void Open()
    {
        x = Random(Tokens, 48 * 128);
        table = new RopeTable(64, 5e6, 4096);
        positions = Enumerable.Range(1000, Tokens).ToArray();
    }

    [Benchmark]
    public void Run() => Ops.Rope(x, 48, 128, table, positions);
}
