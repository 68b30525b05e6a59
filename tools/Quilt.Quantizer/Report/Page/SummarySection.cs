namespace Quilt.Quantizer.Report.Page;

/// <summary>The head of the page: what was done, the figures to see first, and what to be warned of.</summary>
internal static class SummarySection
{
    /// <summary>Writes it.</summary>
    public static void Write(Markup page, QuantizeReport report)
    {
        page.Element("h1", $"Quantizing {report.Model}");
        page.Element("p", $"{Recipe(report.Recipe)} {Figures.Say($"{report.Date:yyyy-MM-dd HH:mm}")} {Zone(report.Date)}, " +
            $"{Figures.Duration(report.Seconds)}, at most {Figures.Bytes(report.PeakMemoryBytes)} of memory on {report.Machine}.", ("class", "lead"));
        page.Open("div", ("class", "tiles"));
        var (before, after) = (report.Sizes.BytesBefore, report.Sizes.BytesAfter);
        page.Tile(Figures.Bytes(after), before > 0
            ? $"of weights, {Figures.Percent(after / (double)before)} of {Figures.Bytes(before)} before"
            : "of weights");
        if (Errors(report) is { Length: > 0 } errors)
        {
            page.Tile(Figures.Error(errors.Average(error => error.After)),
                $"mean relative error of a layer's output; {Figures.Error(errors.Average(error => error.Before))} with the weights just rounded");
        }
        if (report.Layers.Select(layer => layer.Router).OfType<Quality.Agreement>().ToArray() is { Length: > 0 } routers)
        {
            page.Tile(Figures.Percent(routers.Average(router => router.Overlap), "0.00"),
                "of the experts that routers choose are those of the original");
        }
        if (report.Quality is { } quality)
        {
            page.Tile(Figures.Error(quality.Kl.Mean), "nats of divergence a token from the original");
            page.Tile(Figures.Percent(quality.Top1Agreement), "of tokens have the original's first choice");
        }
        page.Close();
        foreach (var warning in report.Warnings) page.Note(warning);
        var failed = (report.Checks ?? []).Count(check => check.Status == "fail");
        if (failed > 0) page.Note(Figures.Say($"{failed} {(failed == 1 ? "check fails" : "checks fail")}; see Checks."));
    }

    private static BeforeAfter[] Errors(QuantizeReport report) => [.. report.Layers.Select(layer => layer.Error).OfType<BeforeAfter>()];

    private static string Recipe(RecipeReport recipe) => recipe.Preset is { } preset ? $"By the preset {preset}," : "By a recipe of its own,";

    private static string Zone(DateTimeOffset date) => date.Offset == TimeSpan.Zero ? "UTC" : Figures.Say($"UTC{date:zzz}");
}
