using Quilt.Quantizer.Recipes;

namespace Quilt.Quantizer.Awq.Match;

/// <summary>One try of the grid search.</summary>
/// <param name="Ratio">How much the inputs' sizes count, 0 to 1.</param>
/// <param name="Duo">Whether the weights' sizes count with what is left of it.</param>
internal readonly record struct GridPoint(double Ratio, bool Duo)
{
    /// <summary>Scales of one, which is what no ratio and no weights come to.</summary>
    public bool IsIdentity => Ratio == 0 && !Duo;
}

/// <summary>The tries of the grid search in the order in which a release makes them; of equal errors the first one wins.</summary>
internal static class RatioGrid
{
    /// <summary>All tries.</summary>
    public static GridPoint[] Of(MatchVersion version, Smoothing smoothing)
    {
        var points = smoothing.Duo == DuoScaling.Both ? smoothing.GridPoints / 2 : smoothing.GridPoints;
        return (version.TriesIdentity, smoothing.Duo) switch
        {
            (_, DuoScaling.Both) => [.. Ratios(points, version.TriesIdentity ? points - 1 : points)
                .SelectMany(ratio => new GridPoint[] { new(ratio, false), new(ratio, true) })],
            (true, DuoScaling.Yes) => [new(0, false), .. Ratios(points - 1, points - 2).Select(ratio => new GridPoint(ratio, true))],
            (true, _) => [.. Ratios(points, points - 1).Select(ratio => new GridPoint(ratio, false))],
            _ => [.. Ratios(points, points).Select(ratio => new GridPoint(ratio, smoothing.Duo == DuoScaling.Yes))],
        };
    }

    // A grid of one point has no step.
    private static IEnumerable<double> Ratios(int count, int steps) =>
        Enumerable.Range(0, Math.Max(0, count)).Select(i => i == 0 ? 0.0 : i / (double)steps);
}
