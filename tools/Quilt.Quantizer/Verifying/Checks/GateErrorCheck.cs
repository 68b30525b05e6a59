using Quilt.Formats;

namespace Quilt.Quantizer.Verifying.Checks;

/// <summary>
/// 5: each expert's w1 (gate_proj) is as far from the official one, its columns times s, as its codes are coarse; s is what the norm was divided by.
/// </summary>
internal sealed class GateErrorCheck() : Check(5, "expert-gate-error")
{
    public override string? WhyNot(CheckSubject subject) => WithoutExperts(subject);

    public override CheckResult Run(CheckSubject subject)
    {
        var (findings, range) = (new Findings(), new FoundRange());
        foreach (var (layer, ratio) in subject.FittingLayers)
        {
            Parallel.ForEach(Enumerable.Range(0, layer.Experts!.Spec.Experts).Select(layer.Experts.Gate), Threads.Of(subject), shape =>
            {
                if (subject.Find(shape) is not { } module) return;
                try
                {
                    var rows = new float[shape.Rows];
                    Array.Fill(rows, 1);
                    var error = WeightError.Between(module.Dequantize(), subject.FindOfficial(shape).Dequantize(), rows, ratio.S);
                    range.Add(error);
                    WeightError.Of(module).Judge(shape.Name, error, findings);
                }
                catch (BadInputException)
                {
                    // Codes or scales that are no numbers, of which another check tells.
                }
            });
        }
        return range.Count == 0
            ? Skip("no layer has a norm and experts that can be compared; see 1, 2 and 7")
            : findings.Conclude(this, $"{range.Count} experts, {range} from the official weight, smoothed alike");
    }
}
