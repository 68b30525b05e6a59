namespace Quilt.Quantizer.Verifying.Checks;

/// <summary>11: each layer by itself, given a random input, answers what the official one does.</summary>
internal sealed class LayerForwardCheck() : Check(11, "layer-forward")
{
    // The rounding of experts to four bits, where a layer adds more to the residual stream than there was, stays above 0.988.
    private const double Good = 0.985;
    private const double Bad = 0.95;

    public override string? WhyNot(CheckSubject subject) => WithoutOfficial(subject) ?? subject.Forward.Refusal;

    public override CheckResult Run(CheckSubject subject)
    {
        if (subject.Forward.Find() is not { } comparison) return Skip(subject.Forward.Refusal!);
        var findings = new Findings();
        foreach (var (index, layer) in comparison.Layers.Index())
        {
            var words = FormattableString.Invariant(
                $"expected a cosine above {Good} between both outputs, found {layer.Output:0.0000} ({layer.Update:0.0000} of what the layer adds)");
            if (!(layer.Output > Bad)) findings.Fail($"model.layers.{index}", words);
            else if (!(layer.Output > Good)) findings.Warn($"model.layers.{index}", words);
        }
        return findings.Conclude(this, FormattableString.Invariant(
            $"{comparison.Layers.Count} layers, cosine at least {comparison.Layers.Min(layer => layer.Output):0.0000}, ") +
            FormattableString.Invariant($"{comparison.Layers.Min(layer => layer.Update):0.0000} of what they add"));
    }
}
