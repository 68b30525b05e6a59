using BenchmarkDotNet.Attributes;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Kernels.Weights;
using Quilt.Kernels.Weights.Tiles;
using Quilt.Perf.Columns;

namespace Quilt.Perf.Kernels;

/// <summary>
/// Products of large weights. What one run reads is not what the one before read, so that the words come from memory and not from a cache.
/// </summary>
public abstract class WeightBench : OpBench, IMakesProducts
{
    [Params(1, 8, 64)]
    public virtual int Tokens { get; set; }

    public abstract double Operations { get; }

    public virtual bool OfBytes => false;

    /// <summary>Gives a weight random codes and a scale of 1/256: one row of codes, turned a little from row to row.</summary>
    internal static TWeight Fill<TFormat, TWeight>(TWeight weight, Func<Random, uint> code)
        where TFormat : struct, ITileFormat
        where TWeight : TiledWeight<TFormat>
    {
        var random = new Random(1);
        var codes = new uint[weight.Columns + 64];
        for (var i = 0; i < codes.Length; i++) codes[i] = code(random);
        var scales = Enumerable.Repeat(1f / 256, weight.Layout.Segments).ToArray();
        for (var e = 0; e < weight.Experts; e++)
        {
            for (var row = 0; row < weight.Rows; row++) weight.SetRow(e, row, codes.AsSpan((e + row) % 64, weight.Columns), scales, []);
        }
        return weight;
    }

    /// <summary>Every token to <paramref name="perToken"/> of the experts, chosen anew in every plan.</summary>
    internal static ExpertPlan Plan(int tokens, int perToken, int experts, int seed)
    {
        var random = new Random(seed);
        var plan = new ExpertPlan();
        plan.Prepare(tokens, perToken, experts);
        for (var t = 0; t < tokens; t++)
        {
            var chosen = Enumerable.Range(0, experts).ToArray();
            random.Shuffle(chosen);
            Array.Sort(chosen, 0, perToken);
            chosen.AsSpan(0, perToken).CopyTo(plan.Ids.AsSpan(t * perToken));
        }
        plan.Gates.AsSpan(0, plan.Pairs).Fill(1f / perToken);
        plan.Sort();
        return plan;
    }
}
