using Quilt.Formats.Checkpoints.Storage;

namespace Quilt.Quantizer.Repair;

/// <summary>
/// What the columns of a weight were multiplied with before it was quantized, recovered from the weight itself: for each column c the number that takes
/// the original nearest to it, Σ_r a[r,c] · b[r,c] / Σ_r b[r,c]². Sums of several modules that share their columns' scale make it sharper.
/// </summary>
internal sealed class ColumnScale(int columns)
{
    private readonly double[] products = new double[columns];
    private readonly double[] squares = new double[columns];

    /// <summary>Counts a module in.</summary>
    /// <param name="scaled">The weight as it is now.</param>
    /// <param name="original">The weight as it was, of the same shape.</param>
    public ColumnScale Add(StoredModule scaled, StoredModule original)
    {
        var (a, b) = (scaled.Dequantize(), original.Dequantize());
        for (var i = 0; i < a.Length; i++)
        {
            products[i % columns] += (double)a[i] * b[i];
            squares[i % columns] += (double)b[i] * b[i];
        }
        return this;
    }

    /// <summary>
    /// The median over columns of |log2(recovered / told)|: 0 where the weight was scaled by what is told. A column that recovers nothing above 0
    /// counts as infinitely far.
    /// </summary>
    /// <param name="told">[columns] what they are said to have been multiplied with.</param>
    public double DistanceFrom(ReadOnlySpan<float> told)
    {
        var distances = new double[columns];
        for (var c = 0; c < columns; c++)
        {
            var recovered = squares[c] > 0 ? products[c] / squares[c] : told[c];     // a column of zeros says nothing
            distances[c] = recovered > 0 ? Math.Abs(Math.Log2(recovered / told[c])) : double.PositiveInfinity;
        }
        return NormRatio.Median(distances);
    }
}
