using System.Numerics;
using System.Runtime.InteropServices;

namespace Quilt.Runtime.Sampling;

/// <summary>Finds the largest logit of a row.</summary>
internal static class LargestLogit
{
    /// <summary>The token with the largest logit, of equals the lowest id; −0 is less than 0.</summary>
    /// <param name="logits">[vocabulary], at least one.</param>
    /// <exception cref="ArithmeticException">A logit is NaN, or the largest is ∞.</exception>
    /// <exception cref="InvalidOperationException">All are −∞.</exception>
    public static int Find(ReadOnlySpan<float> logits)
    {
        var (token, best) = (0, float.NegativeInfinity);
        var bests = Vector.Create(best);
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(logits);
        var i = 0;
        for (; i < vectors.Length; i++)
        {
            if (i + 4 <= vectors.Length)
            {
                // What is not at most the best is above it, or no number.
                var atMost = Vector.LessThanOrEqual(vectors[i], bests) & Vector.LessThanOrEqual(vectors[i + 1], bests)
                    & Vector.LessThanOrEqual(vectors[i + 2], bests) & Vector.LessThanOrEqual(vectors[i + 3], bests);
                if (Vector.EqualsAll(atMost, Vector<int>.AllBitsSet))
                {
                    i += 3;
                    continue;
                }
            }
            if (Vector.LessThanOrEqualAll(vectors[i], bests)) continue;
            Look(logits, i * Vector<float>.Count, (i + 1) * Vector<float>.Count, ref token, ref best);
            bests = Vector.Create(best);
        }
        Look(logits, i * Vector<float>.Count, logits.Length, ref token, ref best);
        BadLogits.Check(best, token);
        if (best == 0 && MemoryMarshal.Cast<float, int>(logits).IndexOf(0) is >= 0 and var zero) token = zero;
        return token;
    }

    private static void Look(ReadOnlySpan<float> logits, int from, int to, ref int token, ref float best)
    {
        for (var i = from; i < to; i++)
        {
            if (float.IsNaN(logits[i])) BadLogits.ThrowNaN(i);
            if (logits[i] > best) (token, best) = (i, logits[i]);
        }
    }
}
