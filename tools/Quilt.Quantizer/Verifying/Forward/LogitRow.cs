using System.Numerics.Tensors;

namespace Quilt.Quantizer.Verifying.Forward;

/// <summary>The logits after one token.</summary>
internal readonly struct LogitRow(ReadOnlyMemory<float> values)
{
    /// <summary>The likeliest next token.</summary>
    public int IndexOfMax() => TensorPrimitives.IndexOfMax(values.Span);

    /// <summary>Natural logarithms of the probabilities.</summary>
    public double[] LogProbabilities()
    {
        var row = values.Span;
        var largest = (double)TensorPrimitives.Max(row);
        var sum = 0.0;
        foreach (var value in row) sum += Math.Exp(value - largest);
        var all = new double[row.Length];
        for (var i = 0; i < all.Length; i++) all[i] = row[i] - largest - Math.Log(sum);
        return all;
    }
}
