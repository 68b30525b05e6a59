namespace Quilt.Quantizer.Report.Page;

/// <summary>By what rules it was done, so that it can be done again.</summary>
internal static class RecipeSection
{
    /// <summary>Writes it.</summary>
    public static void Write(Markup page, QuantizeReport report)
    {
        var recipe = report.Recipe;
        page.Element("h2", "How it was made").Open("dl");
        Entry("model", report.Model);
        Entry("written to", report.Output);
        if (recipe.Preset is { } preset) Entry("preset", preset);
        Entry("numbers of llm-compressor", recipe.Match ?? "not matched to a version");
        foreach (var option in recipe.Options) Entry(option.Name, option.Value);
        page.Close();
        if (recipe.Text is { Length: > 0 } text) page.Open("details").Element("summary", "The recipe").Element("pre", text).Close();

        void Entry(string name, string value) => page.Element("dt", name).Element("dd", value);
    }
}
