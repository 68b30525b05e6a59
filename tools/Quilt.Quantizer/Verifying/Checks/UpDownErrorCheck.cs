using Quilt.Formats;
using Quilt.Quantizer.Repair;
using Quilt.Runtime.Models;

namespace Quilt.Quantizer.Verifying.Checks;

/// <summary>
/// 6: each expert's w3 (up_proj) and w2 (down_proj) are as far from the official ones as their codes are coarse. Rows of w3 may have been divided by
/// an s2 that is stored nowhere, and columns of w2 multiplied with it; it is recovered from w3, and w2 must tell the same.
/// </summary>
internal sealed class UpDownErrorCheck() : Check(6, "expert-up-down-error")
{
    private const double MostDistance = 0.1;

    public override string? WhyNot(CheckSubject subject) => WithoutExperts(subject);

    public override CheckResult Run(CheckSubject subject)
    {
        var (findings, range) = (new Findings(), new FoundRange());
        foreach (var (layer, ratio) in subject.FittingLayers)
        {
            Parallel.For(0, layer.Experts!.Spec.Experts, Threads.Of(subject), e =>
            {
                try
                {
                    Look(subject, layer.Experts.Up(e), layer.Experts.Down(e), ratio, findings, range);
                }
                catch (BadInputException)
                {
                    // Codes or scales that are no numbers, of which another check tells.
                }
            });
        }
        return range.Count == 0
            ? Skip("no layer has a norm and experts that can be compared; see 1, 2 and 7")
            : findings.Conclude(this, $"{range.Count / 2} experts, {range} from the official weights, smoothed alike");
    }

    private static void Look(CheckSubject subject, ModuleShape upShape, ModuleShape downShape, NormRatio ratio, Findings findings, FoundRange range)
    {
        if (subject.Find(upShape) is not { } up || subject.Find(downShape) is not { } down) return;
        var (found, wanted) = (up.Dequantize(), subject.FindOfficial(upShape).Dequantize());
        var rows = RowScale(found, wanted, ratio.S, upShape.Rows);
        var error = WeightError.Between(found, wanted, rows, ratio.S);
        range.Add(error);
        WeightError.Of(up).Judge(upShape.Name, error, findings);
        if (!(error < WeightError.OtherWeight)) return;     // nothing is recovered from it

        var s2 = Array.ConvertAll(rows, row => 1 / row);
        var ones = new float[downShape.Rows];
        Array.Fill(ones, 1);
        var original = subject.FindOfficial(downShape);
        error = WeightError.Between(down.Dequantize(), original.Dequantize(), ones, s2);
        range.Add(error);
        WeightError.Of(down).Judge(downShape.Name, error, findings);
        var (distance, _) = ColumnScale.Compare(down, original, s2);
        if (!(distance < MostDistance))
            findings.Fail(downShape.Name, $"expected columns that were multiplied with what rows of {upShape.Name} were divided by, found " +
                FormattableString.Invariant($"a factor of {Math.Pow(2, distance):0.##}"));
    }

    // What each row was multiplied with: of all numbers the one that takes the original nearest to it; 1 for a row of zeros.
    private static float[] RowScale(float[] found, float[] wanted, float[] columns, int rows)
    {
        var scale = new float[rows];
        for (var (r, at) = (0, 0); r < rows; r++)
        {
            double product = 0, square = 0;
            for (var c = 0; c < columns.Length; c++, at++)
            {
                var original = (double)wanted[at] * columns[c];
                product += found[at] * original;
                square += original * original;
            }
            scale[r] = square > 0 && product > 0 ? (float)(product / square) : 1;
        }
        return scale;
    }
}
