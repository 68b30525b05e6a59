using Quilt.Formats.Checkpoints.Storage;

namespace Quilt.Quantizer.Repair;

/// <summary>
/// What the columns of a weight were multiplied with before it was quantized, recovered from the weight itself: for each column c the number that
/// takes the original nearest to it, Σ_r a[r,c] · b[r,c] / Σ_r b[r,c]².
/// </summary>
internal static class ColumnScale
{
    /// <summary>
    /// Medians over the columns: of |log2(recovered / told)|, 0 where the weight was scaled by what is told, and of the correlation of both columns,
    /// near 1 where they are of one weight and near 0 where they are not.
    /// </summary>
    /// <param name="scaled">The weight as it is now.</param>
    /// <param name="original">The weight as it was, of the same shape.</param>
    /// <param name="told">[columns] what its columns are said to have been multiplied with.</param>
    public static (double Distance, double Correlation) Compare(StoredModule scaled, StoredModule original, ReadOnlySpan<float> told)
    {
        var (a, b, columns) = (scaled.Dequantize(), original.Dequantize(), told.Length);
        double[] products = new double[columns], squares = new double[columns], originals = new double[columns];
        for (var row = 0; row < a.Length; row += columns)
        {
            for (var c = 0; c < columns; c++)
            {
                var (x, y) = ((double)a[row + c], (double)b[row + c]);
                products[c] += x * y;
                squares[c] += x * x;
                originals[c] += y * y;
            }
        }
        double[] distances = new double[columns], correlations = new double[columns];
        for (var c = 0; c < columns; c++)
        {
            var recovered = originals[c] > 0 ? products[c] / originals[c] : told[c];     // a column of zeros says nothing
            distances[c] = recovered > 0 ? Math.Abs(Math.Log2(recovered / told[c])) : double.PositiveInfinity;
            correlations[c] = squares[c] > 0 && originals[c] > 0 ? products[c] / Math.Sqrt(squares[c] * originals[c]) : 1;
        }
        return (NormRatio.Median(distances), NormRatio.Median(correlations));
    }
}
