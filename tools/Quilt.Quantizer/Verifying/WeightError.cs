using Quilt.Formats.Checkpoints.Storage;

namespace Quilt.Quantizer.Verifying;

/// <summary>How far a quantized weight may be from the one that it was made of, as relative L2 distance.</summary>
/// <param name="Least">Less is unusual: the codes would be finer than they are said to be.</param>
/// <param name="Most">More is unusual.</param>
internal readonly record struct WeightError(double Least, double Most)
{
    /// <summary>From here on it is another weight: two that have nothing in common are 1 to 1.5 apart.</summary>
    public const double OtherWeight = 0.5;

    /// <summary>What the original may itself have lost, where it is FP8 and both were made of something finer.</summary>
    private const double OriginalFp8 = 0.04;

    /// <summary>
    /// 6 to 14 % for four bits in groups of 32 (9.4 % where weights are normally distributed, more where smoothing spreads them). Finer codes are
    /// nearer in proportion; larger groups, whose largest magnitude is larger, farther.
    /// </summary>
    public static WeightError Of(StoredModule module)
    {
        if (module.Form.Codes == CodeType.Float8) return new(0, 0.06);
        if (module.Form.Codes is not (CodeType.Int4 or CodeType.Int8)) return new(0, OriginalFp8);
        var fine = 7.5 / (((1 << module.CodeBits) - 1) / 2.0);
        var wide = Math.Sqrt(Math.Log(2.0 * Math.Max(module.Form.GroupColumns, 2)) / Math.Log(64));
        return module.CodeBits == 4 ? new(0.06 * Math.Min(wide, 1), 0.14 * wide) : new(0.03 * fine, (0.14 * fine * wide) + OriginalFp8);
    }

    /// <summary>
    /// ‖a − b‖ / ‖b‖, where b is the original with row r times <paramref name="rows"/>[r] and column c times <paramref name="columns"/>[c].
    /// </summary>
    public static double Between(float[] weight, float[] original, ReadOnlySpan<float> rows, ReadOnlySpan<float> columns)
    {
        double distance = 0, norm = 0;
        for (var (r, at) = (0, 0); r < rows.Length; r++)
        {
            for (var c = 0; c < columns.Length; c++, at++)
            {
                var wanted = (double)original[at] * rows[r] * columns[c];
                distance += (weight[at] - wanted) * (weight[at] - wanted);
                norm += wanted * wanted;
            }
        }
        return norm > 0 ? Math.Sqrt(distance / norm) : distance > 0 ? double.PositiveInfinity : 0;
    }

    /// <summary>Tells of a weight that is too far from its original, or too near.</summary>
    public void Judge(string name, double found, Findings findings)
    {
        var words = FormattableString.Invariant($"expected {Least:0.0%} to {Most:0.0%} from the official weight, smoothed alike, found {found:0.0%}");
        if (!(found < OtherWeight)) findings.Fail(name, words);
        else if (found < Least || found > Most) findings.Warn(name, words);
    }
}
