namespace Quilt.Quantizer.Verifying.Checks;

/// <summary>
/// 7: what the norm in front of each feed-forward was divided by is what the columns of the weights behind it were multiplied with, and its middle,
/// sqrt(max · min), is 1, to which AWQ scales it.
/// </summary>
internal sealed class NormRatioCheck() : Check(7, "norm-ratio")
{
    private const double MostMid = 0.1;

    public override string? WhyNot(CheckSubject subject) => WithoutOfficial(subject);

    public override CheckResult Run(CheckSubject subject)
    {
        var findings = new Findings();
        var (looked, smoothed, worst) = (0, 0, 0.0);
        foreach (var layer in subject.Modules.Layers)
        {
            if (subject.Smoothed(layer) is not { } found) continue;
            looked++;
            if (found.Problem is { } problem) findings.Fail(layer.FeedForwardNorm.Name, problem);
            if (found.Ratio is not { IsIdentity: false } ratio) continue;
            smoothed++;
            worst = Math.Max(worst, ratio.MaxAbsLog2);
            if (found.Problem is null && !(Math.Abs(Math.Log2(ratio.GeometricMid)) < MostMid))
                findings.Warn(layer.FeedForwardNorm.Name, FormattableString.Invariant(
                    $"expected the middle of official / smoothed norm, sqrt(max * min), at 1, found {ratio.GeometricMid:0.###}"));
        }
        if (looked == 0) return Skip("no layer has a norm and weights that can be read; see 1 to 3");
        return findings.Conclude(this, smoothed == 0
            ? $"{looked} layers with the official norms: nothing was smoothed"
            : FormattableString.Invariant($"{smoothed} of {looked} layers smoothed, |log2 s| up to {worst:0.00}, as the weights behind them were"));
    }
}
