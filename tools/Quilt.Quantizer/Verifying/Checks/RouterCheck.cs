using Quilt.Formats;
using Quilt.Formats.Tensors;
using Quilt.Quantizer.Repair;
using Quilt.Runtime.Models;

namespace Quilt.Quantizer.Verifying.Checks;

/// <summary>
/// 8: each router's columns were multiplied with what the norm that it reads was divided by; else it sees other inputs than it was trained on and
/// other experts are chosen. What corrects its choice is the official one.
/// </summary>
internal sealed class RouterCheck() : Check(8, "router-compensation")
{
    // So little of a factor, in log2, changes hardly a choice.
    private const double Slight = 0.02;

    public override string? WhyNot(CheckSubject subject) => WithoutExperts(subject);

    public override CheckResult Run(CheckSubject subject)
    {
        var findings = new Findings();
        var (looked, compensated) = (0, 0);
        foreach (var (layer, ratio) in subject.FittingLayers)
        {
            if (layer.Experts!.Correction is { } correction) Correction(subject, correction, findings);
            if (Look(subject, layer.Experts.Router, ratio) is not { } fit) continue;
            looked++;
            if (fit.State == RouterState.Compensated) compensated++;
            var name = $"{fit.Router.Name}.weight";
            if (fit.State == RouterState.Uncompensated)
            {
                var words = FormattableString.Invariant(
                    $"expected the official router with its columns times s (|log2 s| up to {ratio.MaxAbsLog2:0.00}), found the official one; ") +
                    "repair-router mends it";
                if (ratio.MaxAbsLog2 < Slight) findings.Warn(name, words);
                else findings.Fail(name, words);
            }
            else if (fit.State == RouterState.Unknown)
            {
                findings.Fail(name, "expected the official router, its columns times s, found one " + FormattableString.Invariant(
                    $"{fit.CompensatedDistance:0.0%} away ({fit.OfficialDistance:0.0%} without s)"));
            }
        }
        return looked == 0
            ? Skip("no layer has a norm and a router that can be compared; see 1, 2, 3 and 7")
            : findings.Conclude(this, compensated == 0
                ? $"{looked} routers, the official ones, behind the official norms"
                : $"{compensated} of {looked} routers multiplied with what their norm was divided by");
    }

    private static RouterFit? Look(CheckSubject subject, ModuleShape router, NormRatio ratio)
    {
        try
        {
            return RouterFit.Of(subject.Official!, subject.Model, router, ratio);
        }
        catch (BadInputException)
        {
            return null;     // missing, or no numbers: other checks tell of it
        }
    }

    // With the bits that its type has left.
    private static void Correction(CheckSubject subject, VectorShape correction, Findings findings)
    {
        try
        {
            var (wanted, found) = (subject.Official!.Vector(correction.Name, correction.Length),
                subject.Model.Vector(correction.Name, correction.Length));
            var rounding = subject.Model.Find(correction.Name)!.Type == DType.F32 ? 0 : 1f / 256;
            var at = 0;
            while (at < wanted.Length && Math.Abs(found[at] - wanted[at]) <= rounding * Math.Abs(wanted[at])) at++;
            if (at < wanted.Length)
                findings.Fail(correction.Name, FormattableString.Invariant($"expected the official {wanted[at]} at index {at}, found {found[at]}"));
        }
        catch (BadInputException)
        {
            // Missing, or no numbers: other checks tell of it.
        }
    }
}
