using BenchmarkDotNet.Attributes;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;

namespace Quilt.Perf.Kernels;

/// <summary>256 experts of which 8 are chosen, as in MiniMax-M2.5.</summary>
public class RouteBench : OpBench
{
    private static readonly Routing Routing = new(RouterScore.Sigmoid, 8);
    private readonly ExpertPlan plan = new();
    private Matrix logits;
    private NativeBuffer bias = null!;

    [Params(1, 512)]
    public int Tokens { get; set; }

    public override long BytesMoved => (long)Tokens * 256 * sizeof(float);

    [GlobalSetup]
    public void Open()
    {
        logits = Random(Tokens, 256);
        bias = Ones(256);
    }

    [Benchmark]
    public void Run() => Ops.Route(logits, bias, Routing, plan);
}
