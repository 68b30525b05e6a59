using Quilt.Quantizer.Report.Page;

namespace Quilt.Quantizer.Report.Charts;

/// <summary>From values to places along a line, with marks at round numbers.</summary>
internal sealed class Axis
{
    private const int MostTicks = 6;
    private readonly double from;
    private readonly double to;
    private readonly double start;
    private readonly double end;
    private readonly string format;

    /// <summary>An axis that covers some values.</summary>
    /// <param name="values">What is to be shown; what is not finite is passed over.</param>
    /// <param name="start">Where its lower end is drawn.</param>
    /// <param name="end">Where its upper end is.</param>
    /// <param name="low">A value it reaches down to in any case.</param>
    /// <param name="high">A value it reaches up to in any case.</param>
    /// <param name="percent">Whether marks are shares written in percent.</param>
    /// <param name="tight">Whether it ends where the values do, and not at the marks around them.</param>
    public Axis(IEnumerable<double> values, double start, double end, double? low = 0, double? high = null, bool percent = false,
        bool tight = false)
    {
        double[] all = [.. values.Append(low ?? double.NaN).Append(high ?? double.NaN).Where(double.IsFinite)];
        var (least, most) = all.Length == 0 ? (0, 1) : (all.Min(), all.Max());
        // Nothing is more than all.
        if (most <= least && percent && most == 1) least = 0.9;
        if (most <= least) most = least + Math.Max(1e-6, Math.Abs(least));
        var step = RoundStep((most - least) / (MostTicks - 1));
        var (first, last) = (Math.Floor((least / step) + 1e-9) * step, Math.Ceiling((most / step) - 1e-9) * step);
        (from, to) = tight ? (least, most) : (first, last);
        (this.start, this.end) = (start, end);
        Ticks = [.. Enumerable.Range(0, (int)Math.Round((last - first) / step) + 1).Select(i => first + (i * step))
            .Where(tick => tick >= from - (step * 1e-6) && tick <= to + (step * 1e-6))];
        var decimals = Math.Max(0, -(int)Math.Floor(Math.Log10(step) + 1e-9) - (percent ? 2 : 0));
        format = (decimals == 0 ? "#,0" : "0." + new string('0', Math.Min(decimals, 9))) + (percent ? " '%'" : "");
        Percent = percent;
    }

    /// <summary>Values at which there are marks, ascending.</summary>
    public IReadOnlyList<double> Ticks { get; }

    private bool Percent { get; }

    /// <summary>Where a value is drawn.</summary>
    public double At(double value) => start + ((Math.Clamp(value, from, to) - from) / (to - from) * (end - start));

    /// <summary>What a mark says.</summary>
    public string Label(double tick) => Figures.Number(Percent ? tick * 100 : tick, format);

    // 1, 2 or 5 times a power of ten, at least this.
    private static double RoundStep(double least)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(least)));
        var digit = least / power;
        return power * (digit <= 1 + 1e-9 ? 1 : digit <= 2 + 1e-9 ? 2 : digit <= 5 + 1e-9 ? 5 : 10);
    }
}
