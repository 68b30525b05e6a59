using Quilt.Quantizer.Report.Charts;

namespace Quilt.Tests.Quantizer.Report;

/// <summary>Axes of charts.</summary>
public sealed class AxisTests
{
    [Test]
    public void An_axis_of_shares_ends_at_all_of_it()
    {
        var axis = new Axis([1, 1], 100, 0, low: null, percent: true);
        Assert.That(axis.Ticks[^1], Is.EqualTo(1).Within(1e-9));
        Assert.That(axis.Ticks[0], Is.LessThan(1));
        Assert.That(axis.Label(axis.Ticks[^1]), Is.EqualTo("100 %"));
        Assert.That(axis.At(1), Is.EqualTo(0).Within(1e-9));
    }
}
