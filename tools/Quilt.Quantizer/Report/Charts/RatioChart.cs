using Quilt.Quantizer.Report.Page;

namespace Quilt.Quantizer.Report.Charts;

/// <summary>The ratios chosen in each layer: those of its norm as diamonds, those of its experts as a span with a dot at the median.</summary>
internal static class RatioChart
{
    /// <summary>Draws it.</summary>
    public static void Write(Markup page, string label, IReadOnlyList<LayerReport> layers)
    {
        var plot = new Plot(page);
        var axis = new Axis([], plot.Bottom, Plot.Top, low: 0, high: 1);
        var experts = layers.Any(layer => Experts(layer).Length > 0);
        Legend.Write(page, experts
            ? [("after", "norm, for its layer"), ("third", "up to down projection (w3 to w2), of 100 experts the middle one and the 10th to 90th")]
            : [("after", "norm, for its layer")]);
        plot.Begin(label);
        plot.Vertical(axis, "ratio");
        plot.Horizontal(Plot.Marks([.. layers.Select(layer => layer.Layer)]), "layer");
        for (var i = 0; i < layers.Count; i++)
        {
            var (x, number) = (Plot.Column(i, layers.Count), layers[i].Layer);
            if (Experts(layers[i]) is { Length: > 0 } ratios)
            {
                var (least, middle, most) = (Rank(ratios, 0.1), Rank(ratios, 0.5), Rank(ratios, 0.9));
                page.Empty("line", ("class", "line third span"), ("x1", x), ("x2", x), ("y1", axis.At(least)), ("y2", axis.At(most)));
                page.Open("circle", ("class", "third"), ("cx", x), ("cy", axis.At(middle)), ("r", 3.0));
                page.Element("title",
                    Figures.Say($"layer {number}, experts: {Figures.Ratio(middle)} ({Figures.Ratio(least)} to {Figures.Ratio(most)})")).Close();
            }
            foreach (var ratio in layers[i].Ratios.Where(double.IsFinite))
            {
                var y = Figures.Place(axis.At(ratio) - 4.5);
                page.Open("path", ("class", "after"), ("d", $"M{Figures.Place(x)} {y}l4.5 4.5l-4.5 4.5l-4.5 -4.5z"));
                page.Element("title", Figures.Say($"layer {number}, norm: {Figures.Ratio(ratio)}")).Close();
            }
        }
        plot.End();
    }

    private static double[] Experts(LayerReport layer) =>
        [.. layer.Experts.Select(expert => expert.Ratio).OfType<double>().Where(double.IsFinite).Order()];

    private static double Rank(double[] sorted, double share) => sorted[Math.Max(0, (int)Math.Ceiling(share * sorted.Length) - 1)];
}
