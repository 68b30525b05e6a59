using Quilt.Quantizer.Report.Charts;

namespace Quilt.Quantizer.Report.Page;

/// <summary>What the model was calibrated on, and how much of it reached each expert.</summary>
internal static class CalibrationSection
{
    private const int ColdNamed = 24;

    // A tenth of an even share: so little that the scales of such an expert are guesses.
    private const double ColdShare = 0.1;

    /// <summary>Writes it; nothing where there was no calibration.</summary>
    public static void Write(Markup page, QuantizeReport report)
    {
        var counted = report.Layers.Where(layer => layer.Experts.Any(expert => expert.Tokens is not null)).ToArray();
        if (report.Calibration is null && counted.Length == 0) return;
        page.Element("h2", "Calibration");
        if (report.Calibration is { } calibration) Data(page, calibration);
        if (counted.Length > 0) Coverage(page, counted);
    }

    private static void Data(Markup page, CalibrationReport calibration)
    {
        page.Element("p", Figures.Say($"{Figures.Count(calibration.Samples)} samples, {Figures.Count(calibration.Tokens)} tokens."));
        foreach (var warning in calibration.Warnings) page.Note(warning);
        if (calibration.Datasets.Count > 0)
        {
            page.Table(["dataset", "samples", "tokens", "share of tokens"], calibration.Datasets.Select(dataset => new[]
            {
                dataset.Name, Figures.Count(dataset.Rows), Figures.Count(dataset.Tokens),
                Figures.Percent(calibration.Tokens > 0 ? dataset.Tokens / (double)calibration.Tokens : null),
            }));
        }
        Languages(page, "Languages: ", calibration.SpokenLanguages);
        Languages(page, "Programming languages: ", calibration.ProgrammingLanguages);
    }

    private static void Languages(Markup page, string what, IReadOnlyList<LanguageReport> found)
    {
        if (found.Count == 0) return;
        page.Element("p", what + string.Join(", ", found.Select(language => $"{language.Name} ({Figures.Count(language.Samples)})")) + ".",
            ("class", "small"));
    }

    private static void Coverage(Markup page, LayerReport[] layers)
    {
        var experts = layers.SelectMany(layer => Experts(layer)).ToArray();
        var cold = experts.Where(expert => expert.IsCold).OrderBy(expert => expert.Tokens).ToArray();
        page.Element("h3", "Tokens that reached each expert");
        page.Look("Each expert should have seen enough text to be calibrated by. " +
            "Experts in the colored part of a bar, at the far left, saw less than a tenth of an even share: calibration knows little of them.");
        page.Figure(() =>
        {
            Legend.Write(page, [("after", "experts"), ("warn", Figures.Say($"cold experts: {Figures.Count(cold.Length)}"))]);
            Histogram.Write(page, "how many experts saw how many tokens", "tokens", "experts",
                [.. experts.Select(expert => (expert.Tokens, expert.IsCold))]);
        });
        if (cold.Length == 0)
        {
            page.Element("p", "No expert is cold.", ("class", "small"));
            return;
        }
        var never = cold.Count(expert => expert.Tokens == 0);
        page.Element("p", Figures.Say($"{Figures.Count(cold.Length)} of {Figures.Count(experts.Length)} experts are cold, ") +
            Figures.Say($"{Figures.Count(never)} of them saw no token. The coldest, as layer.expert (tokens): ") +
            string.Join(", ", cold.Take(ColdNamed).Select(expert => Figures.Say($"{expert.Layer}.{expert.Index} ({Figures.Count(expert.Tokens)})"))) +
            (cold.Length > ColdNamed ? ", …" : "."), ("class", "small"));
    }

    private static IEnumerable<(int Layer, int Index, long Tokens, bool IsCold)> Experts(LayerReport layer)
    {
        var counted = layer.Experts.Index().Where(expert => expert.Item.Tokens is not null).ToArray();
        var even = counted.Length == 0 ? 0 : counted.Average(expert => (double)expert.Item.Tokens!.Value);
        return counted.Select(expert => (layer.Layer, expert.Index, expert.Item.Tokens!.Value,
            expert.Item.Tokens == 0 || expert.Item.Tokens < ColdShare * even));
    }
}
