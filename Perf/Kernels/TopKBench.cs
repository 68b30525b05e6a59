using BenchmarkDotNet.Attributes;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;

namespace Quilt.Perf.Kernels;

/// <summary>The most likely of the 200,064 tokens of MiniMax-M2.5, and what its generation_config.json draws from.</summary>
public class TopKBench : OpBench
{
    private Matrix logits;
    private Matrix best;
    private int[] scales = [];

    [Params(1, 8)]
    public int Rows { get; set; }

    [Params(1, 41)]
    public int K { get; set; }

    public override long BytesMoved => (long)Rows * 200_064 * sizeof(float);

    [GlobalSetup]
    public void Open()
    {
        logits = Random(Rows, 200_064);
        best = Ops.Scratch(Rows, TopKOp.Width(K));
        scales = new int[Rows];
    }

    [Benchmark]
    public void Run() => Ops.TopK(logits, K, scales, best);
}
