using Quilt.Quantizer.Quality;
using Quilt.Quantizer.Verifying.Forward;

namespace Quilt.Quantizer.Verifying.Checks;

/// <summary>
/// 12: on a few prompts the whole model goes the official one's way: the same next tokens, and in each layer the same experts. The next token is
/// compared after every token of the prompts: one pass through each model, whatever its size.
/// </summary>
internal sealed class WholeModelCheck() : Check(12, "whole-model")
{
    private const double GoodOverlap = 0.85;
    private const double BadOverlap = 0.6;
    private const double GoodDivergence = 0.25;
    private const double BadDivergence = 1.5;
    private const double BadChoice = 0.25;

    public override string? WhyNot(CheckSubject subject) => WithoutOfficial(subject) ?? subject.Forward.Refusal;

    public override CheckResult Run(CheckSubject subject)
    {
        if (subject.Forward.Find() is not { } comparison) return Skip(subject.Forward.Refusal!);
        var findings = new Findings();
        foreach (var (index, layer) in comparison.Layers.Index())
        {
            if (layer.WholeModel is not { } found) continue;
            var words = FormattableString.Invariant($"expected at least {GoodOverlap:0%} of the experts that the official model chooses, found ") +
                FormattableString.Invariant($"{found.Overlap:0.0%} ({layer.SameInput!.Overlap:0.0%} given the official model's input)");
            if (!(found.Overlap > BadOverlap)) findings.Fail($"model.layers.{index}", words);
            else if (!(found.Overlap > GoodOverlap)) findings.Warn($"model.layers.{index}", words);
        }
        var (same, divergence) = (comparison.SameChoice, comparison.MeanDivergence);
        var next = FormattableString.Invariant($"{same:0.0%} of next tokens alike, divergence {divergence:0.000} nats");
        var expected = FormattableString.Invariant($"expected less than {GoodDivergence} nats from the official model, found {next}");
        if (!(divergence < BadDivergence && same > BadChoice)) findings.Fail("next token", expected);
        else if (!(divergence < GoodDivergence)) findings.Warn("next token", expected);
        return findings.Conclude(this, next + Routing(comparison));
    }

    private static string Routing(ModelComparison comparison)
    {
        var routed = comparison.Layers.Select(layer => layer.WholeModel).OfType<Agreement>().ToList();
        return routed.Count == 0
            ? ""
            : FormattableString.Invariant($"; at least {routed.Min(layer => layer.Overlap):0.0%} of a layer's experts alike");
    }
}
