using System.Globalization;
using System.Text;
using Quilt.Quantizer.Report.Page;

namespace Quilt.Quantizer.Report.Charts;

/// <summary>A figure of every expert of every layer as a color: a row a layer, a column an expert.</summary>
internal static class HeatMap
{
    private const int Colors = 8;

    // So few experts lie above it that giving them the darkest color alone would leave none for the others.
    private const double Most = 0.995;

    /// <summary>Draws it.</summary>
    /// <param name="page">Where.</param>
    /// <param name="label">What it shows, in words.</param>
    /// <param name="rows">Layers, with the figure of each expert; null: there is none.</param>
    public static void Write(Markup page, string label, IReadOnlyList<(int Layer, IReadOnlyList<double?> Values)> rows)
    {
        double[] sorted = [.. rows.SelectMany(row => row.Values).OfType<double>().Where(double.IsFinite).Order()];
        if (sorted.Length == 0) return;
        var (low, high) = (sorted[0], sorted[(int)Math.Ceiling(Most * sorted.Length) - 1]);
        var experts = rows.Max(row => row.Values.Count);
        var height = Math.Clamp(480.0 / rows.Count, 7, 22);
        var plot = new Plot(page, height * rows.Count);
        var width = (Plot.Right - Plot.Left) / experts;

        WriteScale(page, low, high, rows.Any(row => row.Values.Any(value => value is not { } known || !double.IsFinite(known))));
        plot.Begin(label);
        // Cells are 1 by 1 in a system of their own; a path has all of one color.
        page.Open("g", ("class", "heat"), ("transform",
            $"translate({Figures.Place(Plot.Left)} {Figures.Place(Plot.Top)}) scale({Precise(width)} {Precise(height)})"));
        for (var color = -1; color < Colors; color++)
        {
            var path = Path(rows, value => Color(value, low, high), color);
            if (path.Length > 0) page.Empty("path", ("class", color < 0 ? "none" : $"h{color}"), ("d", path));
        }
        page.Close();
        WriteRows(page, rows, height);
        plot.Horizontal(ExpertMarks(experts, width), "expert");
        plot.End();
    }

    // What a mouse finds in a row, and the numbers of the layers.
    private static void WriteRows(Markup page, IReadOnlyList<(int Layer, IReadOnlyList<double?> Values)> rows, double height)
    {
        var step = Math.Max(1, (int)Math.Ceiling(12 / height));
        for (var row = 0; row < rows.Count; row++)
        {
            var (layer, values) = rows[row];
            var y = Plot.Top + (row * height);
            if (row % step == 0) page.Element("text", Figures.Count(layer), ("class", "tick end"), ("x", Plot.Left - 8), ("y", y + (height / 2) + 4));
            var known = values.Index().Where(cell => cell.Item is { } value && double.IsFinite(value)).ToArray();
            if (known.Length == 0) continue;
            var worst = known.MaxBy(cell => cell.Item!.Value);
            page.Open("rect", ("class", "touch"), ("x", Plot.Left), ("y", y), ("width", Plot.Right - Plot.Left), ("height", height));
            page.Element("title", Figures.Say($"layer {layer}: mean {Figures.Error(known.Average(cell => cell.Item!.Value))}, ") +
                Figures.Say($"most {Figures.Error(worst.Item)} in expert {worst.Index}")).Close();
        }
        page.Element("text", "layer", ("class", "name mid"),
            ("transform", $"translate(12 {Figures.Place(Plot.Top + (rows.Count * height / 2))}) rotate(-90)"));
    }

    private static void WriteScale(Markup page, double low, double high, bool hasNone)
    {
        page.Open("p", ("class", "legend")).Open("span").Text(Figures.Error(low) + " ");
        for (var color = 0; color < Colors; color++) Legend.Swatch(page, $"h{color}");
        page.Text($" {Figures.Error(high)} and more").Close();
        if (hasNone)
        {
            page.Open("span");
            Legend.Swatch(page, "none");
            page.Text("no figure: it saw no tokens").Close();
        }
        page.Close();
    }

    // Neighbours of one color are one piece.
    private static string Path(IReadOnlyList<(int Layer, IReadOnlyList<double?> Values)> rows, Func<double?, int> colorOf, int color)
    {
        var path = new StringBuilder();
        for (var row = 0; row < rows.Count; row++)
        {
            var values = rows[row].Values;
            for (var first = 0; first < values.Count; first++)
            {
                if (colorOf(values[first]) != color) continue;
                var end = first + 1;
                while (end < values.Count && colorOf(values[end]) == color) end++;
                path.Append(CultureInfo.InvariantCulture, $"M{first} {row}h{end - first}v1h-{end - first}z");
                first = end;
            }
        }
        return path.ToString();
    }

    private static int Color(double? value, double low, double high) => value is { } known && double.IsFinite(known)
        ? high > low ? Math.Min(Colors - 1, (int)((known - low) / (high - low) * Colors)) : Colors / 2
        : -1;

    private static IEnumerable<(double At, string Label)> ExpertMarks(int experts, double width)
    {
        int[] steps = [1, 2, 4, 8, 16, 32, 64, 128, 256];
        var step = steps.FirstOrDefault(step => step * width >= 36, 512);
        for (var expert = 0; expert < experts; expert += step) yield return (Plot.Left + ((expert + 0.5) * width), Figures.Count(expert));
    }

    private static string Precise(double value) => Figures.Number(value, "0.######");
}
