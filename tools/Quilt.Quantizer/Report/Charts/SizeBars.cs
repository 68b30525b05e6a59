using Quilt.Quantizer.Report.Page;

namespace Quilt.Quantizer.Report.Charts;

/// <summary>Bytes by kind, two bars one over the other: before and after.</summary>
internal static class SizeBars
{
    private const double Height = 34;

    /// <summary>The color of the kind at a place of the list.</summary>
    public static string Color(int index) => FormattableString.Invariant($"k{index % 8}");

    /// <summary>Draws them.</summary>
    public static void Write(Markup page, string label, SizeReport sizes)
    {
        var most = Math.Max(1, Math.Max(sizes.BytesBefore, sizes.BytesAfter));
        page.Open("svg", ("viewBox", "0 0 920 92"), ("role", "img"), ("aria-label", label));
        Bar("before", 4, sizes.Kinds.Select(kind => kind.Before), sizes.BytesBefore);
        Bar("after", 50, sizes.Kinds.Select(kind => kind.After), sizes.BytesAfter);
        page.Close();

        void Bar(string name, double y, IEnumerable<long> parts, long total)
        {
            page.Element("text", name, ("class", "tick end"), ("x", Plot.Left - 8), ("y", y + (Height / 2) + 4));
            // The number behind the longer bar needs its room.
            var scale = (Plot.Width - Plot.Left - 90) / most;
            var x = Plot.Left;
            foreach (var (index, bytes) in parts.Index())
            {
                if (bytes <= 0) continue;
                var width = bytes * scale;
                page.Open("rect", ("class", Color(index)), ("x", x), ("y", y), ("width", width), ("height", Height));
                page.Element("title", $"{sizes.Kinds[index].Kind}, {name}: {Figures.Bytes(bytes)}").Close();
                x += width;
            }
            page.Element("text", Figures.Bytes(total), ("class", "value"), ("x", x + 8), ("y", y + (Height / 2) + 5));
        }
    }
}
