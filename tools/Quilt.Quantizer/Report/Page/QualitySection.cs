using Quilt.Quantizer.Quality;
using Quilt.Quantizer.Report.Charts;

namespace Quilt.Quantizer.Report.Page;

/// <summary>The written model's answers against the original's.</summary>
internal static class QualitySection
{
    /// <summary>Writes it; nothing where they were not compared.</summary>
    public static void Write(Markup page, QualityResult? quality)
    {
        if (quality is null) return;
        page.Element("h2", "Answers against the original's");
        page.Look(Figures.Say($"After each of {Figures.Count(quality.Tokens)} tokens both models' distributions over the whole vocabulary ") +
            "are compared. A small mean with a large worst token is a model that is right nearly always and far off now and then.");
        foreach (var warning in quality.Warnings) page.Note(warning);
        page.Table(["", "written", "original"],
        [
            ["divergence from the original, nats a token: mean", Figures.Error(quality.Kl.Mean), ""],
            ["… half of the tokens have at most", Figures.Error(quality.Kl.Median), ""],
            ["… 99 of 100 have at most", Figures.Error(quality.Kl.P99), ""],
            ["… the worst token", Figures.Error(quality.Kl.Max), ""],
            ["tokens with the original's first choice", Figures.Percent(quality.Top1Agreement, "0.00"), ""],
            ["mean probability of the original's first choice", Figures.Error(quality.Top1Probability.Model),
                Figures.Error(quality.Top1Probability.Official)],
            .. quality.Perplexity is { } perplexity
                ? new string[][]
                {
                    ["perplexity of the text", Figures.Number(perplexity.Model, "0.000"), Figures.Number(perplexity.Official, "0.000")],
                }
                : [],
        ]);
        int[] numbers = [.. quality.Layers.Select(layer => layer.Layer)];
        if (numbers.Length == 0) return;
        if (quality.Layers.Any(layer => layer.Router is not null)) Routers(page, quality.Layers, numbers);
        page.Element("h3", "Drift of the stream");
        page.Look("How far the residual stream after each layer is from the original's. It grows from layer to layer; " +
            "a jump is a layer to look at.");
        page.Figure(() => LineChart.Write(page, "relative error of the residual stream after each layer", "relative error", numbers,
            [new("stream after the layer", "after", [.. quality.Layers.Select(layer => (double?)layer.StreamError)])]));
    }

    private static void Routers(Markup page, IReadOnlyList<LayerQuality> layers, int[] numbers)
    {
        page.Element("h3", "Routers in the whole model");
        page.Look("On the original's own input a router should choose as the original's does; " +
            "in the whole model the error of the layers before is on top.");
        page.Figure(() => LineChart.Write(page, "share of experts that are the same in each layer", "experts the same", numbers,
        [
            new("on the original's input", "before", [.. layers.Select(layer => layer.Router?.SameInput.Overlap)]),
            new("in the whole model", "after", [.. layers.Select(layer => layer.Router?.WholeModel.Overlap)]),
        ], low: null, high: 1, percent: true));
    }
}
