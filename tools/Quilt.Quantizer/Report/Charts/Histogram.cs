using Quilt.Quantizer.Report.Page;

namespace Quilt.Quantizer.Report.Charts;

/// <summary>How many have how much, and which of them are to be noticed.</summary>
internal static class Histogram
{
    private const int MostBars = 40;

    /// <summary>Draws it: bars of equal width from 0 on.</summary>
    /// <param name="page">Where.</param>
    /// <param name="label">What it shows, in words.</param>
    /// <param name="across">What is counted, at the horizontal axis.</param>
    /// <param name="what">Who has it, at the vertical axis.</param>
    /// <param name="values">At least 0 each, and whether it is to be noticed.</param>
    public static void Write(Markup page, string label, string across, string what, IReadOnlyCollection<(long Value, bool Marked)> values)
    {
        var plot = new Plot(page);
        var most = values.Max(entry => entry.Value);
        var size = Math.Max(1, (most / MostBars) + 1);
        var bars = new (int Plain, int Marked)[(most / size) + 1];
        foreach (var (value, marked) in values)
        {
            ref var bar = ref bars[value / size];
            if (marked) bar.Marked++;
            else bar.Plain++;
        }
        var up = new Axis(bars.Select(bar => (double)(bar.Plain + bar.Marked)), plot.Bottom, Plot.Top);
        var along = new Axis([bars.Length * size], Plot.Left, Plot.Right, tight: true);
        plot.Begin(label);
        plot.Vertical(up, what);
        plot.Horizontal(along.Ticks.Select(tick => (along.At(tick), along.Label(tick))), across);
        for (var i = 0; i < bars.Length; i++)
        {
            var (x, width) = (along.At(i * size), along.At((i + 1) * size) - along.At(i * size));
            var from = Part("warn", bars[i].Marked, plot.Bottom);
            Part("after", bars[i].Plain, from);

            double Part(string color, int count, double bottom)
            {
                if (count == 0) return bottom;
                // Few must not be too few to be seen.
                var height = Math.Max(2, plot.Bottom - up.At(count));
                page.Open("rect", ("class", color), ("x", x + 0.5), ("y", bottom - height),
                    ("width", Math.Max(0.5, width - 1)), ("height", height));
                page.Element("title", $"{Figures.Count(i * size)} to {Figures.Count(((i + 1) * size) - 1)}: {Figures.Count(count)}").Close();
                return bottom - height;
            }
        }
        plot.End();
    }
}
