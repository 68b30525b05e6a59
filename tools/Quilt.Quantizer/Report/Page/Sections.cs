namespace Quilt.Quantizer.Report.Page;

/// <summary>What sections of the page are made of.</summary>
internal static class Sections
{
    /// <summary>A sentence over a picture that says what to look for.</summary>
    public static void Look(this Markup page, string sentence) => page.Element("p", sentence, ("class", "look"));

    /// <summary>Something to be warned of.</summary>
    public static void Note(this Markup page, string warning) => page.Element("p", warning, ("class", "note"));

    /// <summary>A picture, which may be wider than a small screen.</summary>
    public static void Figure(this Markup page, Action draw)
    {
        page.Open("figure");
        draw();
        page.Close();
    }

    /// <summary>A figure that is to be seen first.</summary>
    public static void Tile(this Markup page, string value, string meaning) =>
        page.Open("div", ("class", "tile")).Element("b", value).Element("span", meaning).Close();

    /// <summary>
    /// A table whose first column is text and whose others are numbers, but for those named in <paramref name="texts"/>.
    /// </summary>
    public static void Table(this Markup page, IReadOnlyList<string> heads, IEnumerable<string[]> rows, params int[] texts)
    {
        page.Open("div", ("class", "scroll")).Open("table").Open("thead");
        Row(page, "th", heads, texts);
        page.Close().Open("tbody");
        foreach (var row in rows) Row(page, "td", row, texts);
        page.Close().Close().Close();
    }

    private static void Row(Markup page, string cell, IReadOnlyList<string> texts, int[] wide)
    {
        page.Open("tr");
        foreach (var (index, text) in texts.Index())
        {
            if (wide.Contains(index)) page.Element(cell, text, ("class", "text"));
            else page.Element(cell, text);
        }
        page.Close();
    }
}
