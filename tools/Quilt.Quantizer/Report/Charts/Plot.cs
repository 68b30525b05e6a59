using Quilt.Quantizer.Report.Page;

namespace Quilt.Quantizer.Report.Charts;

/// <summary>The frame of a picture: its element, its axes, and where things are between them. Places are pixels of a picture 920 wide.</summary>
internal sealed class Plot
{
    public const double Width = 920;
    public const double Left = 72;
    public const double Right = Width - 20;
    public const double Top = 10;
    private const double Foot = 42;
    private readonly Markup page;

    /// <summary>A picture with room for <paramref name="height"/> pixels between the axes.</summary>
    public Plot(Markup page, double height = 210)
    {
        this.page = page;
        Bottom = Top + height;
    }

    /// <summary>Where the horizontal axis is.</summary>
    public double Bottom { get; }

    /// <summary>Begins the picture. Readers who cannot see it are read the label.</summary>
    public void Begin(string label) =>
        page.Open("svg", ("viewBox", $"0 0 {Figures.Place(Width)} {Figures.Place(Bottom + Foot)}"), ("role", "img"), ("aria-label", label));

    /// <summary>Ends it.</summary>
    public void End() => page.Close();

    /// <summary>The vertical axis: lines across, and what they mean.</summary>
    public void Vertical(Axis axis, string name)
    {
        foreach (var tick in axis.Ticks)
        {
            var y = axis.At(tick);
            page.Empty("line", ("class", "grid"), ("x1", Left), ("x2", Right), ("y1", y), ("y2", y));
            page.Element("text", axis.Label(tick), ("class", "tick end"), ("x", Left - 8), ("y", y + 4));
        }
        var middle = (Top + Bottom) / 2;
        page.Element("text", name, ("class", "name mid"), ("transform", Figures.Say($"translate(12 {Figures.Place(middle)}) rotate(-90)")));
    }

    /// <summary>The horizontal axis: a line, numbers below it at some places, and what they mean.</summary>
    public void Horizontal(IEnumerable<(double At, string Label)> marks, string name)
    {
        page.Empty("line", ("class", "base"), ("x1", Left), ("x2", Right), ("y1", Bottom), ("y2", Bottom));
        foreach (var (x, label) in marks) page.Element("text", label, ("class", "tick mid"), ("x", x), ("y", Bottom + 17));
        page.Element("text", name, ("class", "name mid"), ("x", (Left + Right) / 2), ("y", Bottom + 35));
    }

    /// <summary>The middle of a column of <paramref name="count"/> equal ones.</summary>
    public static double Column(int index, int count) => Left + ((index + 0.5) * (Right - Left) / count);

    /// <summary>Which of some columns get a number so that numbers do not touch.</summary>
    public static IEnumerable<(double At, string Label)> Marks(IReadOnlyList<int> numbers)
    {
        int[] steps = [1, 2, 5, 10, 20, 50, 100, 200, 500];
        var step = steps.FirstOrDefault(step => numbers.Count / step <= 24, 1000);
        for (var i = 0; i < numbers.Count; i += step) yield return (Column(i, numbers.Count), Figures.Count(numbers[i]));
    }
}
