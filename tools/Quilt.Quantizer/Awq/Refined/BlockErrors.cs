using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;

namespace Quilt.Quantizer.Awq.Refined;

/// <summary>
/// The relative error of what the routed experts say together, |found − wanted| / |wanted|, over some tokens: plainly rounded, and as it is stored.
/// </summary>
internal sealed class BlockErrors
{
    private readonly int[] tokens;
    private readonly int model;
    private readonly float[][] sums;

    /// <summary>Errors over evenly spaced tokens.</summary>
    /// <param name="total">Tokens there are.</param>
    /// <param name="most">Tokens, at most, that are looked at.</param>
    /// <param name="model">Width of the residual stream.</param>
    public BlockErrors(int total, long most, int model)
    {
        var count = (int)Math.Clamp(most, Math.Min(1, total), total);
        this.model = model;
        tokens = [.. Enumerable.Range(0, count).Select(i => (int)((long)i * total / count))];
        sums = [.. Enumerable.Range(0, 3).Select(_ => new float[tokens.Length * model])];
    }

    /// <summary>What a sum is of.</summary>
    public enum Kind
    {
        /// <summary>The official weights.</summary>
        Wanted,

        /// <summary>Plainly rounded weights.</summary>
        Before,

        /// <summary>The weights that are stored.</summary>
        After,
    }

    /// <summary>The error of plain rounding.</summary>
    public double Before => Relative(Kind.Before);

    /// <summary>The error of what is stored.</summary>
    public double After => Relative(Kind.After);

    /// <summary>Adds what an expert says of those of the tokens that are its own.</summary>
    public void Add(LayerInput layer, int expert, Kind kind, Func<int[], Matrix> outputOf, OpStream ops)
    {
        var plan = layer.Plan;
        var places = Enumerable.Range(0, tokens.Length).Where(i => Ids(tokens[i]).Contains(expert)).ToArray();
        if (places.Length == 0) return;
        var mark = ops.Mark();
        var y = outputOf(Array.ConvertAll(places, i => tokens[i]));
        for (var i = 0; i < places.Length; i++)
        {
            var sum = sums[(int)kind].AsSpan(places[i] * model, model);
            System.Numerics.Tensors.TensorPrimitives.MultiplyAdd(y.Row(i), plan.GateOf(tokens[places[i]], expert), sum, sum);
        }
        ops.Release(mark);

        Span<int> Ids(int token) => plan.Ids.AsSpan(token * plan.PerToken, plan.PerToken);
    }

    private double Relative(Kind kind)
    {
        double error = 0, size = 0;
        var (wanted, found) = (sums[(int)Kind.Wanted], sums[(int)kind]);
        for (var i = 0; i < wanted.Length; i++)
        {
            var d = (double)found[i] - wanted[i];
            error += d * d;
            size += (double)wanted[i] * wanted[i];
        }
        return size > 0 ? Math.Sqrt(error / size) : 0;
    }
}
