using System.Numerics;
using System.Runtime.InteropServices;

namespace Quilt.Runtime.Sampling;

/// <summary>
/// The tokens of a row of logits that are large enough to matter, found in one pass over the row: a vector of logits is turned away by one
/// comparison with a threshold, which rises as larger ones are found. Keeps its arrays from row to row.
/// </summary>
internal sealed class Survivors
{
    // Below this many the found ones are not looked through before the end.
    private const int LeastRoom = 1024;

    private int[] ids = [];
    private float[] values = [];
    private float[] work = [];
    private int count;
    private float least;

    /// <summary>Ids, ascending; valid until the next call.</summary>
    public Span<int> Ids => ids.AsSpan(0, count);

    /// <summary>Their logits, in the order of <see cref="Ids"/>.</summary>
    public Span<float> Values => values.AsSpan(0, count);

    /// <summary>The largest of them; −∞ where there is none.</summary>
    public float Largest { get; private set; }

    /// <summary>
    /// Finds the <paramref name="k"/> largest and whatever ties with the last of them, none further than <paramref name="below"/> below the largest.
    /// Logits of −∞ are out.
    /// </summary>
    /// <param name="logits">[vocabulary].</param>
    /// <param name="k">How many; 0: any number.</param>
    /// <param name="below">How far below the largest a logit may be; ∞: any distance.</param>
    /// <exception cref="ArithmeticException">A logit is NaN or ∞.</exception>
    public void Find(ReadOnlySpan<float> logits, int k, float below)
    {
        Reserve(logits.Length);
        (count, least, Largest) = (0, float.MinValue, float.NegativeInfinity);
        var room = Math.Max(LeastRoom, 4L * k);
        var limits = Vector.Create(least);
        var width = Vector<float>.Count;
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(logits);
        var i = 0;
        while (i < vectors.Length)
        {
            if (i + 4 <= vectors.Length)
            {
                // What is not less is at the threshold, above it, or no number.
                var less = Vector.LessThan(vectors[i], limits) & Vector.LessThan(vectors[i + 1], limits)
                    & Vector.LessThan(vectors[i + 2], limits) & Vector.LessThan(vectors[i + 3], limits);
                if (Vector.EqualsAll(less, Vector<int>.AllBitsSet))
                {
                    i += 4;
                    continue;
                }
            }
            var end = Math.Min(i + 4, vectors.Length);
            for (; i < end; i++)
            {
                if (!Vector.LessThanAll(vectors[i], limits)) Take(logits.Slice(i * width, width), i * width, below);
            }
            if ((k > 0 || below < float.PositiveInfinity) && count >= room)
            {
                Narrow(k);
                room = Math.Max(room, 2L * count);
            }
            limits = Vector.Create(least);
        }
        Take(logits[(i * width)..], i * width, below);
        if (k > 0 || below < float.PositiveInfinity) Narrow(k);
        if (Largest == float.PositiveInfinity) BadLogits.ThrowInfinite(ids[values.AsSpan(0, count).IndexOf(Largest)]);
    }

    private void Take(ReadOnlySpan<float> part, int first, float below)
    {
        for (var i = 0; i < part.Length; i++)
        {
            var value = part[i];
            if (value < least) continue;
            if (float.IsNaN(value)) BadLogits.ThrowNaN(first + i);
            (ids[count], values[count]) = (first + i, value);
            count++;
            if (value <= Largest) continue;
            Largest = value;
            least = Math.Max(least, value - below);
        }
    }

    /// <summary>Raises the threshold to the k-th largest and drops what is below it.</summary>
    private void Narrow(int k)
    {
        if (k > 0 && k < count)
        {
            values.AsSpan(0, count).CopyTo(work);
            least = Math.Max(least, Selection.KthLargest(work.AsSpan(0, count), k));
        }
        var kept = 0;
        for (var i = 0; i < count; i++)
        {
            if (values[i] < least) continue;
            (ids[kept], values[kept]) = (ids[i], values[i]);
            kept++;
        }
        count = kept;
    }

    private void Reserve(int tokens)
    {
        if (ids.Length >= tokens) return;
        (ids, values, work) = (new int[tokens], new float[tokens], new float[tokens]);
    }
}
