namespace Quilt.Quantizer.Verifying;

/// <summary>The least and the largest of what several threads found.</summary>
internal sealed class FoundRange
{
    private readonly Lock gate = new();
    private double least = double.PositiveInfinity;
    private double most = double.NegativeInfinity;

    /// <summary>How many there were.</summary>
    public int Count { get; private set; }

    /// <summary>Counts one in.</summary>
    public void Add(double value)
    {
        lock (gate)
        {
            (least, most) = (Math.Min(least, value), Math.Max(most, value));
            Count++;
        }
    }

    /// <summary>In words, as percentages.</summary>
    public override string ToString() => FormattableString.Invariant($"{least:0.0%} to {most:0.0%}");
}
