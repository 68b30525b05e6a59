using Quilt.Quantizer.Report.Charts;

namespace Quilt.Quantizer.Report.Page;

/// <summary>What the model weighs, and where it runs.</summary>
internal static class SizesSection
{
    /// <summary>Writes it.</summary>
    public static void Write(Markup page, SizeReport sizes)
    {
        page.Element("h2", "Size");
        page.Look("Bytes of tensors by what they are: what is large afterwards is what more could be saved on.");
        page.Figure(() => SizeBars.Write(page, "bytes by kind, before and after", sizes));
        Kinds(page, sizes);
        page.Element("h3", "Memory");
        page.Look(Figures.Say($"Weights and one sequence, whose keys and values take {Figures.Bytes(sizes.KvBytesPerToken)} a token in bfloat16. ") +
            "A model fits where it takes no more than 95 % of the cards' memory; the rest is for what it computes with.");
        Memory(page, sizes);
    }

    private static void Kinds(Markup page, SizeReport sizes)
    {
        page.Open("div", ("class", "scroll")).Open("table").Open("thead").Open("tr");
        foreach (var head in (string[])["tensors", "before", "after", "share"]) page.Element("th", head);
        page.Close().Close().Open("tbody");
        foreach (var (index, kind) in sizes.Kinds.Index())
        {
            page.Open("tr").Open("td");
            Legend.Swatch(page, SizeBars.Color(index));
            page.Text(kind.Kind).Close();
            page.Element("td", Figures.Bytes(kind.Before)).Element("td", Figures.Bytes(kind.After));
            page.Element("td", Figures.Percent(sizes.BytesAfter > 0 ? kind.After / (double)sizes.BytesAfter : null)).Close();
        }
        page.Close().Close().Close();
    }

    private static void Memory(Markup page, SizeReport sizes)
    {
        page.Open("div", ("class", "scroll")).Open("table").Open("thead").Open("tr");
        foreach (var head in (string[])["tokens", "cache", "in all", .. SizeReport.Cards]) page.Element("th", head);
        page.Close().Close().Open("tbody");
        foreach (var need in sizes.Memory)
        {
            page.Open("tr").Element("td", Figures.Count(need.Tokens) + (need.Tokens == sizes.MaxTokens ? " (its longest)" : ""));
            page.Element("td", Figures.Bytes(need.CacheBytes)).Element("td", Figures.Bytes(need.TotalBytes));
            foreach (var fits in need.Fits) page.Element("td", fits ? "fits" : Figures.None, ("class", fits ? "yes" : "no"));
            page.Close();
        }
        page.Close().Close().Close();
    }
}
