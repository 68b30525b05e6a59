using System.Numerics.Tensors;

namespace Quilt.Runtime.Sampling;

/// <summary>
/// From penalized logits to the tokens that stay in the draw: temperature, then min_p, top_k and top_p. Probabilities are taken in double precision.
/// Keeps its arrays from step to step.
/// </summary>
internal sealed partial class Truncation
{
    private const double LeastTemperature = 0.01;

    // Two sums of the same probabilities in another order differ by this much; without it a boundary that is met exactly would be a matter of luck.
    private const double SumTolerance = 3e-7;

    private readonly Survivors survivors = new();
    private double[] weights = [];
    private int[] ids = [];
    private double[] work = [];

    /// <summary>Ids that stay, ascending; valid until the next call.</summary>
    public ReadOnlySpan<int> Ids => ids.AsSpan(0, count);

    /// <summary>Their probabilities, not normalized, in the order of <see cref="Ids"/>.</summary>
    public ReadOnlySpan<double> Weights => weights.AsSpan(0, count);

    private int count;

    /// <summary>Fills <see cref="Ids"/> and <see cref="Weights"/>. Logits of −∞ are out; where all are, nothing stays.</summary>
    /// <exception cref="ArithmeticException">A logit is NaN or ∞.</exception>
    public void Run(ReadOnlySpan<float> logits, SamplingOptions options)
    {
        Reserve(logits.Length);
        var scale = Scale(options);
        var k = options.TopK > 0 && options.TopK < logits.Length ? options.TopK : 0;
        if (k == 0 && options.MinP == 0 && options.TopP < 1)
        {
            RunTopP(logits, options.TopP, scale);
            return;
        }
        // A token can only stay if it is among the top k, and not too far from the first: both sieves come before any exponential.
        survivors.Find(logits, k, Below(options, scale));
        Weigh(scale);
        if (options.TopP < 1 && count > 0) CutTail(options.TopP, TensorPrimitives.Sum<double>(weights.AsSpan(0, count)), 0);
    }

    /// <summary>What logits are multiplied with: one divided by the temperature.</summary>
    public static double Scale(SamplingOptions options) => 1 / Math.Max(options.Temperature, LeastTemperature);

    /// <summary>How far below the largest a logit may be for min_p.</summary>
    private static float Below(SamplingOptions options, double scale) =>
        options.MinP > 0 ? (float)(-Math.Log(options.MinP) / scale) : float.PositiveInfinity;

    /// <summary>
    /// Without other sieves top_p needs the sum over all tokens first. Whatever is below the average of what may go cannot exceed it, all together,
    /// so only the others are looked at one by one.
    /// </summary>
    private void RunTopP(ReadOnlySpan<float> logits, double p, double scale)
    {
        var largest = logits[LargestLogit.Find(logits)];
        var total = Softmax.Sum(logits, largest, scale);
        survivors.Find(logits, 0, (float)(-Math.Log(Budget(p, total) / logits.Length) / scale));
        Weigh(scale);
        CutTail(p, total, total - TensorPrimitives.Sum<double>(weights.AsSpan(0, count)));
    }

    private static double Budget(double p, double total) => (1 - p + SumTolerance) * total;

    private void Weigh(double scale)
    {
        count = survivors.Ids.Length;
        survivors.Ids.CopyTo(ids);
        Softmax.Exponentials(survivors.Values, survivors.Largest, scale, weights);
    }

    private void Reserve(int tokens)
    {
        if (ids.Length >= tokens) return;
        tokens = Math.Max(tokens, 2 * ids.Length);
        (ids, weights, work) = (new int[tokens], new double[tokens], new double[tokens]);
    }

    /// <summary>Drops the least likely tokens while their sum is at most 1 − p; among equals the lowest ids go last.</summary>
    /// <param name="p">The share that stays.</param>
    /// <param name="total">Sum of all weights.</param>
    /// <param name="gone">Sum of those that are not among the kept ones.</param>
    private void CutTail(double p, double total, double gone)
    {
        weights.AsSpan(0, count).CopyTo(work);
        var (threshold, equals) = Selection.CutBelow(work.AsSpan(0, count), Math.Max(0, gone), Budget(p, total));
        Keep(threshold, equals);
    }

    /// <summary>Keeps what is above a threshold, and of what is at it so many, the lowest ids.</summary>
    private void Keep(double threshold, int equalsToKeep)
    {
        var kept = 0;
        for (var i = 0; i < count; i++)
        {
            if (weights[i] < threshold || (weights[i] == threshold && equalsToKeep-- <= 0)) continue;
            (ids[kept], weights[kept]) = (ids[i], weights[i]);
            kept++;
        }
        count = kept;
    }
}
