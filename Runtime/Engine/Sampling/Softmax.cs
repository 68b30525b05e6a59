using System.Numerics;
using System.Numerics.Tensors;

namespace Quilt.Runtime.Sampling;

/// <summary>Exponentials of logits, in double precision.</summary>
internal static class Softmax
{
    private const int Block = 512;

    /// <summary>Writes e^((logit − largest) · scale) for each logit.</summary>
    public static void Exponentials(ReadOnlySpan<float> logits, float largest, double scale, Span<double> into)
    {
        var i = 0;
        for (; i <= logits.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector.Widen(new Vector<float>(logits[i..]) - Vector.Create(largest), out var low, out var high);
            (low * scale).CopyTo(into[i..]);
            (high * scale).CopyTo(into[(i + Vector<double>.Count)..]);
        }
        for (; i < logits.Length; i++) into[i] = (logits[i] - largest) * scale;
        TensorPrimitives.Exp<double>(into[..logits.Length], into);
    }

    /// <summary>Σ e^((logit − largest) · scale).</summary>
    public static double Sum(ReadOnlySpan<float> logits, float largest, double scale)
    {
        var block = (Span<double>)stackalloc double[Block];
        var sum = 0.0;
        for (; !logits.IsEmpty; logits = logits[Math.Min(Block, logits.Length)..])
        {
            var part = logits[..Math.Min(Block, logits.Length)];
            Exponentials(part, largest, scale, block);
            sum += TensorPrimitives.Sum<double>(block[..part.Length]);
        }
        return sum;
    }

    /// <summary>The logarithm of Σ e^logit.</summary>
    /// <exception cref="ArithmeticException">A logit is NaN or ∞.</exception>
    /// <exception cref="InvalidOperationException">All are −∞.</exception>
    public static double LogSum(ReadOnlySpan<float> logits)
    {
        var largest = logits[LargestLogit.Find(logits)];
        return largest + Math.Log(Sum(logits, largest, 1));
    }
}
