using Quilt.Quantizer.Report.Charts;

namespace Quilt.Quantizer.Report.Page;

/// <summary>What became of each layer: errors, experts, routers, scales.</summary>
internal static class LayersSection
{
    private const int WorstExperts = 8;

    /// <summary>Writes it; nothing where there are no layers.</summary>
    public static void Write(Markup page, QuantizeReport report)
    {
        if (report.Layers.Count == 0) return;
        int[] numbers = [.. report.Layers.Select(layer => layer.Layer)];
        Errors(page, report.Layers, numbers);
        Experts(page, report.Layers);
        Routers(page, report.Layers, numbers);
        Scales(page, report.Layers, numbers);
        Table(page, report.Layers);
    }

    private static void Errors(Markup page, IReadOnlyList<LayerReport> layers, int[] numbers)
    {
        if (layers.All(layer => layer.Error is null)) return;
        page.Element("h2", "Error of each layer");
        page.Look("How far what a layer's feed-forward adds to the stream is from the original's, relative to its size. " +
            "The line of the written weights should lie below that of weights just rounded, and no layer should stand out.");
        page.Figure(() => LineChart.Write(page, "relative error of each layer's output, before and after", "relative error", numbers,
        [
            new("weights just rounded", "before", [.. layers.Select(layer => layer.Error?.Before)]),
            new("as written", "after", [.. layers.Select(layer => layer.Error?.After)]),
        ]));
        var known = layers.Where(layer => layer.Error is not null).ToArray();
        var better = known.Count(layer => layer.Error!.After < layer.Error.Before);
        var worst = known.MaxBy(layer => layer.Error!.After)!;
        page.Element("p", Figures.Say($"Lower in {better} of {known.Length} layers. ") +
            Figures.Say($"The largest is {Figures.Error(worst.Error!.After)}, in layer {worst.Layer}."), ("class", "small"));
    }

    private static void Experts(Markup page, IReadOnlyList<LayerReport> layers)
    {
        var rows = layers.Where(layer => layer.Experts.Any(expert => expert.Error is not null)).ToArray();
        if (rows.Length == 0) return;
        page.Element("h2", "Error of each expert");
        page.Look("Every expert's own output against the original's: the more a cell stands out from the page, the larger its error. " +
            "A row that stands out is a layer that is hard to quantize; a single cell is an expert worth a look.");
        page.Figure(() => HeatMap.Write(page, "relative error of each expert's output, as written",
            [.. rows.Select(layer => (layer.Layer, (IReadOnlyList<double?>)[.. layer.Experts.Select(expert => expert.Error?.After)]))]));
        var worst = rows.SelectMany(layer => layer.Experts.Index().Where(expert => expert.Item.Error is not null)
                .Select(expert => (layer.Layer, Expert: expert.Index, expert.Item)))
            .OrderByDescending(entry => entry.Item.Error!.After).Take(WorstExperts);
        page.Open("details").Element("summary", "The worst experts");
        page.Table(["layer", "expert", "error", "just rounded", "ratio", "tokens"], worst.Select(entry => new[]
        {
            Figures.Count(entry.Layer), Figures.Count(entry.Expert), Figures.Error(entry.Item.Error!.After), Figures.Error(entry.Item.Error.Before),
            Figures.Ratio(entry.Item.Ratio), entry.Item.Tokens is { } tokens ? Figures.Count(tokens) : Figures.None,
        }));
        page.Close();
    }

    private static void Routers(Markup page, IReadOnlyList<LayerReport> layers, int[] numbers)
    {
        if (layers.All(layer => layer.Router is null)) return;
        page.Element("h2", "Routers");
        page.Look("Whether routers still choose the experts that the original's choose, each on the original's own input. " +
            "Both lines should lie at 100 %: less means that a router was not made up for the scaling of the norm before it.");
        page.Figure(() => LineChart.Write(page, "agreement of each layer's router with the original's", "share", numbers,
        [
            new("tokens with all experts the same", "before", [.. layers.Select(layer => layer.Router?.SameSet)]),
            new("experts the same", "after", [.. layers.Select(layer => layer.Router?.Overlap)]),
        ], low: null, high: 1, percent: true));
    }

    private static void Scales(Markup page, IReadOnlyList<LayerReport> layers, int[] numbers)
    {
        if (layers.Any(layer => layer.Ratios.Count > 0 || layer.Experts.Any(expert => expert.Ratio is not null)))
        {
            page.Element("h2", "Ratios");
            page.Look("How much of the inputs' sizes the search moved into the weights: 0 is nothing, 1 is all. " +
                "A ratio at 0 in many layers means that smoothing found nothing to gain there.");
            page.Figure(() => RatioChart.Write(page, "ratios chosen in each layer", layers));
        }
        if (layers.All(layer => layer.MaxLog2Scale is null && layer.MedianLog2Scale is null)) return;
        page.Element("h3", "Sizes of the scales");
        page.Look("By how many powers of two a norm's channels were scaled up or down. " +
            "A largest scale far from the other layers' comes from a few channels with extreme inputs.");
        page.Figure(() => LineChart.Write(page, "sizes of the scales of each layer", "|log₂ s|", numbers,
        [
            new("largest", "before", [.. layers.Select(layer => layer.MaxLog2Scale)]),
            new("median", "after", [.. layers.Select(layer => layer.MedianLog2Scale)]),
        ]));
    }

    private static void Table(Markup page, IReadOnlyList<LayerReport> layers)
    {
        page.Open("details").Element("summary", "All layers as a table");
        page.Table(["layer", "error", "just rounded", "experts same", "all same", "norm ratio", "|log₂ s| max", "median", "tokens an expert"],
            layers.Select(layer => new[]
            {
                Figures.Count(layer.Layer), Figures.Error(layer.Error?.After), Figures.Error(layer.Error?.Before),
                Figures.Percent(layer.Router?.Overlap, "0.00"), Figures.Percent(layer.Router?.SameSet, "0.00"), Ratios(layer.Ratios),
                Figures.Ratio(layer.MaxLog2Scale), Figures.Ratio(layer.MedianLog2Scale), Tokens(layer.Experts),
            }));
        page.Close();
    }

    private static string Ratios(IReadOnlyList<double> ratios) => ratios.Count switch
    {
        0 => Figures.None,
        1 => Figures.Ratio(ratios[0]),
        _ => $"{Figures.Ratio(ratios.Min())} to {Figures.Ratio(ratios.Max())}",
    };

    private static string Tokens(IReadOnlyList<ExpertReport> experts)
    {
        var tokens = experts.Select(expert => expert.Tokens).OfType<long>().ToArray();
        return tokens.Length == 0 ? Figures.None : $"{Figures.Count(tokens.Min())} to {Figures.Count(tokens.Max())}";
    }
}
