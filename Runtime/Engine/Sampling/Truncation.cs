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

    private double[] weights = [];
    private int[] ids = [];
    private double[] sorted = [];

    /// <summary>Ids that stay, ascending; valid until the next call.</summary>
    public ReadOnlySpan<int> Ids => ids.AsSpan(0, count);

    /// <summary>Their probabilities, not normalized, in the order of <see cref="Ids"/>.</summary>
    public ReadOnlySpan<double> Weights => weights.AsSpan(0, count);

    private int count;

    /// <summary>Fills <see cref="Ids"/> and <see cref="Weights"/>. Logits of −∞ are out.</summary>
    public void Run(ReadOnlySpan<float> logits, SamplingOptions options)
    {
        Reserve(logits.Length);
        var largest = TensorPrimitives.Max(logits);
        var scale = Scale(options);

        // A token can only stay if it is among the top k, so the k-th logit is a first sieve, and min_p a second, before any exponential is taken.
        var least = options.TopK > 0 && options.TopK < logits.Length ? KthLargest(logits, options.TopK) : float.NegativeInfinity;
        var leastByMinP = options.MinP > 0 ? largest + (Math.Log(options.MinP) / scale) : double.NegativeInfinity;
        count = 0;
        for (var id = 0; id < logits.Length; id++)
        {
            var logit = logits[id];
            if (logit < least || logit < leastByMinP || logit == float.NegativeInfinity) continue;
            ids[count] = id;
            weights[count++] = Math.Exp((logit - largest) * scale);
        }
        if (options.TopP < 1) CutTail(options.TopP);
    }

    /// <summary>What logits are multiplied with: one divided by the temperature.</summary>
    public static double Scale(SamplingOptions options) => 1 / Math.Max(options.Temperature, LeastTemperature);

    private void Reserve(int tokens)
    {
        if (ids.Length >= tokens) return;
        tokens = Math.Max(tokens, 2 * ids.Length);
        (ids, weights, sorted) = (new int[tokens], new double[tokens], new double[tokens]);
    }

    /// <summary>Drops the least likely tokens while their sum is at most 1 − p; among equals the lowest ids go last.</summary>
    private void CutTail(double p)
    {
        var total = TensorPrimitives.Sum<double>(weights.AsSpan(0, count));
        var budget = (1 - p + SumTolerance) * total;

        // Whatever is below the average of the budget cannot exceed it, all together: only the others need sorting.
        var small = budget / count;
        var (sum, candidates) = (0.0, 0);
        for (var i = 0; i < count; i++)
        {
            if (weights[i] < small) sum += weights[i];
            else sorted[candidates++] = weights[i];
        }
        Array.Sort(sorted, 0, candidates);
        var cut = 0;
        while (cut < candidates - 1 && sum + sorted[cut] <= budget) sum += sorted[cut++];

        // Tokens at the threshold's own weight: as many of them go as the sum allows, the highest ids first.
        var threshold = sorted[cut];
        var equalsToDrop = 0;
        for (var i = cut - 1; i >= 0 && sorted[i] == threshold; i--) equalsToDrop++;
        var equals = equalsToDrop;
        for (var i = cut; i < candidates && sorted[i] == threshold; i++) equals++;
        Keep(threshold, equals - equalsToDrop);
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

    /// <summary>The k-th largest value, by a heap of the k largest seen.</summary>
    private float KthLargest(ReadOnlySpan<float> values, int k)
    {
        if (k > 1024)
        {
            for (var i = 0; i < values.Length; i++) sorted[i] = values[i];
            Array.Sort(sorted, 0, values.Length);
            return (float)sorted[values.Length - k];
        }
        var heap = (Span<float>)stackalloc float[k];
        for (var i = 0; i < k; i++) heap[i] = values[i];
        for (var i = (k / 2) - 1; i >= 0; i--) SiftDown(heap, i);
        var rest = values[k..];
        while (true)
        {
            var next = IndexAbove(rest, heap[0]);
            if (next < 0) return heap[0];
            heap[0] = rest[next];
            SiftDown(heap, 0);
            rest = rest[(next + 1)..];
        }
    }

    private static int IndexAbove(ReadOnlySpan<float> values, float limit)
    {
        var i = 0;
        var limits = new System.Numerics.Vector<float>(limit);
        for (; i <= values.Length - System.Numerics.Vector<float>.Count; i += System.Numerics.Vector<float>.Count)
        {
            if (System.Numerics.Vector.GreaterThanAny(new System.Numerics.Vector<float>(values[i..]), limits)) break;
        }
        for (; i < values.Length; i++)
        {
            if (values[i] > limit) return i;
        }
        return -1;
    }

    private static void SiftDown(Span<float> heap, int i)
    {
        while (true)
        {
            var child = (2 * i) + 1;
            if (child >= heap.Length) return;
            if (child + 1 < heap.Length && heap[child + 1] < heap[child]) child++;
            if (heap[i] <= heap[child]) return;
            (heap[i], heap[child]) = (heap[child], heap[i]);
            i = child;
        }
    }
}
