using BenchmarkDotNet.Attributes;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;

namespace Quilt.Perf.Kernels;

/// <summary>The logits of 1,000 tokens that a penalty is about, of 200,064.</summary>
public class TakeOutBench : OpBench
{
    private readonly int[] places = [.. Enumerable.Range(0, 1000).Select(i => i * 200)];
    private Matrix logits;
    private Matrix taken;

    public override long BytesMoved => 4L * places.Length * sizeof(float);

    [GlobalSetup]
    public void Open()
    {
        logits = Random(1, 200_064);
        taken = Ops.Scratch(1, places.Length);
    }

    [Benchmark]
    public void Run() => Ops.TakeOut(logits, places, taken);
}
