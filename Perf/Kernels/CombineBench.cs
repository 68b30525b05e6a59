using BenchmarkDotNet.Attributes;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;

namespace Quilt.Perf.Kernels;

/// <summary>The outputs of 8 experts a token, 3072 wide, as in MiniMax-M2.5.</summary>
public class CombineBench : OpBench
{
    private readonly ExpertPlan plan = new();
    private Matrix pairs;
    private Matrix y;

    [Params(1, 512)]
    public int Tokens { get; set; }

    public override long BytesMoved => 9L * Tokens * Model * sizeof(float);

    [GlobalSetup]
    public void Open()
    {
        Ops.Route(Random(Tokens, 256), null, new(RouterScore.Sigmoid, 8), plan);
        pairs = Random(plan.Pairs, Model);
        y = Random(Tokens, Model);
    }

    [Benchmark]
    public void Run() => Ops.Combine(pairs, plan, y);
}
