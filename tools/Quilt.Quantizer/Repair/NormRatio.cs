using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Runtime.Models;

namespace Quilt.Quantizer.Repair;

/// <summary>
/// What the norm before a layer's feed-forward was divided by when the layer was smoothed: s = official norm / published norm, one number a column of
/// whatever reads that norm, in float32.
/// </summary>
internal sealed class NormRatio
{
    private NormRatio(float[] s)
    {
        S = s;
        var logs = Array.ConvertAll(s, value => Math.Abs(Math.Log2(value)));
        MaxAbsLog2 = logs.Max();
        MedianAbsLog2 = Median(logs);
        GeometricMid = Math.Sqrt((double)s.Max() * s.Min());
    }

    /// <summary>[model] the ratio; finite and more than 0.</summary>
    public float[] S { get; }

    /// <summary>The largest |log2 s|: 0 where nothing was smoothed.</summary>
    public double MaxAbsLog2 { get; }

    /// <summary>The median of |log2 s|.</summary>
    public double MedianAbsLog2 { get; }

    /// <summary>sqrt(max s · min s): 1, up to the rounding of the norm, where s was scaled as AWQ scales it.</summary>
    public double GeometricMid { get; }

    /// <summary>Whether both norms are the same.</summary>
    public bool IsIdentity => MaxAbsLog2 == 0;

    /// <summary>The ratio of one layer.</summary>
    /// <exception cref="BadInputException">A norm is missing or of another length, or no positive number takes one to the other.</exception>
    public static NormRatio Of(Checkpoint official, Checkpoint published, VectorShape norm) => Find(official, published, norm, out var problem)
        ?? throw new BadInputException(published.Find(norm.Name)!.File, norm.Name, problem!);

    /// <summary>The ratio of one layer; null, and why, where no positive numbers take one norm to the other.</summary>
    /// <exception cref="BadInputException">A norm is missing or of another length.</exception>
    public static NormRatio? Find(Checkpoint official, Checkpoint published, VectorShape norm, out string? problem)
    {
        problem = null;
        var (above, below) = (official.Vector(norm.Name, norm.Length), published.Vector(norm.Name, norm.Length));
        var s = new float[norm.Length];
        for (var i = 0; i < s.Length; i++)
        {
            s[i] = above[i] == below[i] ? 1 : above[i] / below[i];
            if (s[i] > 0 && float.IsFinite(s[i])) continue;
            problem = FormattableString.Invariant(
                $"expected the official norm divided by positive numbers, found {below[i]} for {above[i]} at index {i}");
            return null;
        }
        return new NormRatio(s);
    }

    /// <summary>Its sizes in words.</summary>
    public override string ToString() =>
        FormattableString.Invariant($"|log2 s| at most {MaxAbsLog2:0.000}, median {MedianAbsLog2:0.000}, middle {GeometricMid:0.0000}");

    /// <summary>The middle of some numbers; of an even count the mean of the two in the middle.</summary>
    public static double Median(ReadOnlySpan<double> values)
    {
        var sorted = values.ToArray();
        Array.Sort(sorted);
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
