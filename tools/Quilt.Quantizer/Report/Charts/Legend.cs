using Quilt.Quantizer.Report.Page;

namespace Quilt.Quantizer.Report.Charts;

/// <summary>What the colors of a picture mean, in a row above it.</summary>
internal static class Legend
{
    /// <summary>Writes it.</summary>
    public static void Write(Markup page, IEnumerable<(string Color, string Name)> entries)
    {
        page.Open("p", ("class", "legend"));
        foreach (var (color, name) in entries)
        {
            page.Open("span");
            Swatch(page, color);
            page.Text(name).Close();
        }
        page.Close();
    }

    /// <summary>A patch of a color.</summary>
    public static void Swatch(Markup page, string color) =>
        page.Open("svg", ("class", "swatch"), ("viewBox", "0 0 12 12"), ("aria-hidden", "true"))
            .Empty("rect", ("class", color), ("width", 12), ("height", 12), ("rx", 3)).Close();
}
