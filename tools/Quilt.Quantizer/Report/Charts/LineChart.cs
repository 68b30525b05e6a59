using System.Globalization;
using System.Text;
using Quilt.Quantizer.Report.Page;

namespace Quilt.Quantizer.Report.Charts;

/// <summary>A figure of each layer.</summary>
/// <param name="Name">What it is, for the legend.</param>
/// <param name="Color">Class of its color: <c>after</c>, <c>before</c>, <c>third</c> or <c>warn</c>.</param>
/// <param name="Values">One for each layer; null: there is none.</param>
internal sealed record LineSeries(string Name, string Color, IReadOnlyList<double?> Values);

/// <summary>Figures of layers as lines, left to right.</summary>
internal static class LineChart
{
    /// <summary>Draws it.</summary>
    /// <param name="page">Where.</param>
    /// <param name="label">What it shows, in words.</param>
    /// <param name="name">What the vertical axis means.</param>
    /// <param name="layers">Numbers of the layers.</param>
    /// <param name="series">The lines; the last lies on top.</param>
    /// <param name="low">Where the vertical axis begins; null: where the figures do.</param>
    /// <param name="high">What it reaches; null: where the figures end.</param>
    /// <param name="percent">Whether the figures are shares.</param>
    public static void Write(Markup page, string label, string name, IReadOnlyList<int> layers, IReadOnlyList<LineSeries> series, double? low = 0,
        double? high = null, bool percent = false)
    {
        var plot = new Plot(page);
        var axis = new Axis(series.SelectMany(line => line.Values).OfType<double>(), plot.Bottom, Plot.Top, low, high, percent);
        Legend.Write(page, series.Select(line => (line.Color, line.Name)));
        plot.Begin(label);
        plot.Vertical(axis, name);
        plot.Horizontal(Plot.Marks(layers), "layer");
        foreach (var line in series)
        {
            page.Empty("path", ("class", $"line {line.Color}"), ("d", Path(line.Values, axis)));
            for (var i = 0; i < layers.Count; i++)
            {
                if (line.Values[i] is not { } value || !double.IsFinite(value)) continue;
                page.Open("circle", ("class", line.Color), ("cx", Plot.Column(i, layers.Count)), ("cy", axis.At(value)), ("r", 3.0));
                page.Element("title", Figures.Say($"layer {layers[i]}, {line.Name}: {(percent ? Figures.Percent(value) : Figures.Error(value))}"));
                page.Close();
            }
        }
        plot.End();
    }

    // A gap where there is no figure.
    private static string Path(IReadOnlyList<double?> values, Axis axis)
    {
        var path = new StringBuilder();
        var drawing = false;
        for (var i = 0; i < values.Count; i++)
        {
            var known = values[i] is { } value && double.IsFinite(value);
            if (known)
            {
                path.Append(CultureInfo.InvariantCulture,
                    $"{(drawing ? 'L' : 'M')}{Figures.Place(Plot.Column(i, values.Count))} {Figures.Place(axis.At(values[i]!.Value))}");
            }
            drawing = known;
        }
        return path.ToString();
    }
}
