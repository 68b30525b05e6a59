using BenchmarkDotNet.Attributes;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Kernels.Weights;
using Quilt.Kernels.Weights.Tiles;

namespace Quilt.Perf.Kernels;

/// <summary>
/// The gate projections of a layer of MiniMax-M2.5, 64 of its 256 experts of [1536, 3072] in 4-bit groups of 32: 8 experts a token, other ones in
/// every run.
/// </summary>
public class IntGroupMatMulBench : WeightBench
{
    private const int Rows = 1536;
    private const int Experts = 64;
    private const int PerToken = 8;
    private readonly ExpertPlan[] plans = new ExpertPlan[8];
    private Int4GroupWeight weight = null!;
    private OpStream ops = null!;
    private Matrix x;
    private Matrix y;
    private int next;

    [Params(Activations.Float, Activations.Int8)]
    public Activations Input { get; set; }

    /// <summary>Of the experts that are expected to be chosen.</summary>
    public override long BytesMoved =>
        (long)(Experts * (1 - Math.Pow(1 - ((double)PerToken / Experts), Tokens)) * Rows * Model * 9 / 16) + (
            4L * Tokens * (Model + (PerToken * Rows)));

    public override double Operations => 2.0 * Tokens * PerToken * Rows * Model;

    public override bool OfBytes => Input == Activations.Int8;

    [GlobalSetup]
    public void Open()
    {
        ops = new OpStream(Ops.Device, Input);
        weight = Fill<Int4Format, Int4GroupWeight>(
            new Int4GroupWeight("w1", Experts, Rows, Model, TileLayout.Even<Int4Format>(Model, 32), 32, TileScales.BFloat16, zeroPoints: false),
                random => (uint)random.Next(16));
        for (var i = 0; i < plans.Length; i++) plans[i] = Plan(Tokens, PerToken, Experts, i);
        (x, y) = (Random(Tokens, Model), Random(Tokens * PerToken, Rows));
    }

    [Benchmark]
    public void Run()
    {
        ops.Reset();
        weight.MatMulExperts(ops, x, plans[next++ % plans.Length], ExpertRows.Tokens, y);
    }
}
