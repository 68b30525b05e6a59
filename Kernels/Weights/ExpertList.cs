using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;

namespace Quilt.Kernels.Weights;

/// <summary>A stack whose matrices are stored in different ways: each is a weight of its own, and experts are multiplied one after another.</summary>
internal sealed class ExpertList(string name, Weight[] weights) : Weight(name, weights.Length, weights[0].Rows, weights[0].Columns)
{
    /// <summary>The weights, one a matrix.</summary>
    public IReadOnlyList<Weight> Weights => weights;

    public override long Bytes => weights.Sum(weight => weight.Bytes);

    public override string Format => string.Join(" + ", weights.Select(weight => weight.Format).Distinct().Order(StringComparer.Ordinal));

    public override bool SuitsTensorCores => weights.All(weight => weight.SuitsTensorCores);

    public override void MatMul(OpStream ops, Matrix x, Matrix y) => weights[0].MatMul(ops, x, y);

    public override void MatMulExperts(OpStream ops, Matrix x, ExpertPlan plan, ExpertRows rows, Matrix y)
    {
        if (ops.Gpu is not null)
        {
            // Which experts are active the host does not know: all are launched, and those without a pair have nothing to do.
            for (var expert = 0; expert < weights.Length; expert++) ((GpuWeight)weights[expert]).MatMulExpert(ops, x, plan, rows, expert, y);
            return;
        }
        for (var i = 0; i < plan.ActiveCount; i++)
        {
            var expert = plan.Active[i];
            var (first, count) = (plan.Offsets[expert], plan.Offsets[expert + 1] - plan.Offsets[expert]);
            var mark = ops.Mark();
            var input = x.Slice(first, count);
            if (rows == ExpertRows.Tokens)
            {
                input = ops.Scratch(count, x.Columns);
                for (var p = 0; p < count; p++) x.Row(plan.PairToken[first + p]).CopyTo(input.Row(p));
            }
            weights[expert].MatMul(ops, input, y.Slice(first, count));
            ops.Release(mark);
        }
    }

    public override void Dequantize(int expert, int row, Span<float> into) => weights[expert].Dequantize(0, row, into);

    public override Weight MoveTo(GpuDevice device)
    {
        var moved = new List<Weight>();
        try
        {
            foreach (var weight in weights) moved.Add(weight.MoveTo(device));
            return new ExpertList(Name, [.. moved]);
        }
        catch
        {
            foreach (var weight in moved) weight.Dispose();
            throw;
        }
    }

    public override void Dispose()
    {
        foreach (var weight in weights) weight.Dispose();
    }
}
