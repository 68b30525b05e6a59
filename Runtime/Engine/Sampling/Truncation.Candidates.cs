using System.Numerics.Tensors;

namespace Quilt.Runtime.Sampling;

internal sealed partial class Truncation
{
    // A device's sum of exponentials in float32 is off by less than this share.
    private const double SumError = 5e-6;

    private float[] order = [];

    /// <summary>The same from some of the logits, if they decide; false if the others could matter.</summary>
    /// <param name="known">Ids, in any order; order and content are lost.</param>
    /// <param name="logits">Their logits; likewise.</param>
    /// <param name="others">What is known of all others.</param>
    /// <param name="options">The request's.</param>
    /// <param name="vocabulary">How many there are in all.</param>
    public bool TryRun(Span<int> known, Span<float> logits, in Unknown others, SamplingOptions options, int vocabulary)
    {
        if (known.Length == 0) return false;
        Reserve(known.Length);
        var largest = TensorPrimitives.Max<float>(logits);
        if (!float.IsFinite(largest)) return false;
        var scale = Scale(options);

        var cuts = options.TopK > 0 && options.TopK < vocabulary;
        var least = cuts && options.TopK <= known.Length ? KthLargest(logits, options.TopK) : float.NegativeInfinity;
        var leastByMinP = largest - Below(options, scale);
        var complete = others.Reach == float.NegativeInfinity || others.Reach < least || others.Reach < leastByMinP;
        var total = 0.0;
        if (!complete)
        {
            // What top_p leaves out is a share of what the others leave: without them the sum over all logits is enough.
            if (cuts || options.MinP > 0 || options.TopP == 1) return false;
            total = others.Sum * Math.Exp((others.Largest - largest) * scale);
            foreach (var logit in logits[..others.Uncounted]) total += Math.Exp((logit - largest) * scale);
        }

        count = 0;
        for (var i = 0; i < known.Length; i++)
        {
            var logit = logits[i];
            if (logit < least || logit < leastByMinP || logit == float.NegativeInfinity) continue;
            (known[count], logits[count]) = (known[i], logit);
            count++;
        }
        known[..count].Sort(logits[..count]);
        known[..count].CopyTo(ids);
        Softmax.Exponentials(logits[..count], largest, scale, weights);
        if (!complete) return TryCutTail(options.TopP, total, Math.Exp((others.Reach - largest) * scale));
        if (options.TopP < 1) CutTail(options.TopP, TensorPrimitives.Sum<double>(weights.AsSpan(0, count)), 0);
        return true;
    }

    private float KthLargest(ReadOnlySpan<float> logits, int k)
    {
        if (order.Length < logits.Length) order = new float[ids.Length];
        logits.CopyTo(order);
        return Selection.KthLargest(order.AsSpan(0, logits.Length), k);
    }

    /// <summary>
    /// As <see cref="CutTail"/>, from the most likely token down: one stays if it and all below it are more than may go. False where rounding, or a
    /// token that is not known, would decide.
    /// </summary>
    private bool TryCutTail(double p, double total, double reach)
    {
        var budget = (1 - p + SumTolerance) * total;
        weights.AsSpan(0, count).CopyTo(work);
        Array.Sort(work, 0, count);
        var (left, kept) = (total, 0);
        while (kept < count && left > budget)
        {
            if (left - budget < SumError * total) return false;
            left -= work[count - 1 - kept++];
        }
        if (kept == 0 || budget - left < SumError * total) return false;
        var threshold = work[count - kept];
        if (reach >= threshold) return false;
        var equals = 0;
        for (var i = count - kept; i < count && work[i] == threshold; i++) equals++;
        Keep(threshold, equals);
        return true;
    }
}

/// <summary>What is known of logits that are not known one by one.</summary>
/// <param name="Reach">None is larger.</param>
/// <param name="Largest">The largest of all that <paramref name="Sum"/> is about.</param>
/// <param name="Sum">Σ e^((logit − Largest) · scale) of them and of the known ones, but for the first <paramref name="Uncounted"/>.</param>
/// <param name="Uncounted">How many of the known ones are not in the sum.</param>
internal readonly record struct Unknown(float Reach, float Largest, double Sum, int Uncounted);
