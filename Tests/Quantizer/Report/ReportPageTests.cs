using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml;
using System.Xml.Linq;
using Quilt.Quantizer.Report;
using Quilt.Quantizer.Report.Charts;

namespace Quilt.Tests.Quantizer.Report;

/// <summary>The page is whole by itself, well-formed, and says what the report says.</summary>
public sealed partial class ReportPageTests
{
    private const string Hostile =
        "<script>alert(1)</script>\"'&amp; src=\"https://evil.example/x\" href='HTTP://evil' ]]> \u0000\uD800\u0001 <!-- 𝔘";

    [TestCase(62, 256)]
    [TestCase(62, 8)]
    [TestCase(4, 16)]
    [TestCase(1, 1)]
    [TestCase(1, 0)]
    [TestCase(0, 0)]
    public void It_is_well_formed_and_small_for_a_model_of_any_size(int layers, int experts)
    {
        var page = Page(SampleReport.Of(layers, experts));
        Assert.That(Encoding.UTF8.GetByteCount(page), Is.LessThan(3 << 20));
        var root = Parse(page);
        Assert.That(root.Name.LocalName, Is.EqualTo("html"));
        Assert.That(root.Descendants("h1").Single().Value, Is.EqualTo("Quantizing MiniMax-M2.5"));
        Assert.That(page, Does.Not.Contain("NaN").And.Not.Contain("∞").And.Not.Contain("Infinity"));
    }

    [Test]
    public void It_fetches_nothing_and_runs_nothing([Values] bool hostile)
    {
        var page = Page(Everywhere(hostile ? Hostile : "MiniMax-M2.5"));
        Assert.That(page, Does.Not.Contain("http").IgnoreCase);
        Assert.That(Outside().Matches(page), Is.Empty);
        var root = Parse(page);
        Assert.That(root.Descendants().Select(element => element.Name.LocalName).Distinct(), Is.SubsetOf(new[]
        {
            "html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "h3", "p", "b", "div", "span", "figure", "details", "summary",
            "pre", "dl", "dt", "dd", "table", "thead", "tbody", "tr", "th", "td", "svg", "g", "path", "rect", "line", "circle", "text",
        }));
        Assert.That(root.Descendants().SelectMany(element => element.Attributes()).Select(attribute => attribute.Name.LocalName),
            Has.None.StartsWith("on").And.None.EqualTo("style").And.None.EqualTo("src").And.None.EqualTo("href"));
    }

    [Test]
    public void Whatever_a_name_holds_is_text()
    {
        var shown = Hostile.Replace('\u0000', '\uFFFD').Replace('\uD800', '\uFFFD').Replace('\u0001', '\uFFFD');
        var root = Parse(Page(Everywhere(Hostile)));
        Assert.That(root.Descendants("h1").Single().Value, Does.EndWith(shown));
        Assert.That(root.Descendants("td").Select(cell => cell.Value), Has.Some.EqualTo(shown));
        Assert.That(root.Descendants("pre").Single().Value, Is.EqualTo(shown));
        Assert.That(root.Descendants("p").Where(p => (string?)p.Attribute("class") == "note").Select(p => p.Value), Has.Some.EqualTo(shown));
    }

    [Test]
    public void A_model_without_experts_has_no_pictures_of_them()
    {
        var dense = Headings(SampleReport.Of(1, 0) with { Quality = null, Checks = null });
        Assert.That(dense, Is.EqualTo(new[] { "Error of each layer", "Sizes of the scales", "Size", "Memory", "How it was made" }));
        var routed = Headings(SampleReport.Of(2, 8));
        Assert.That(routed, Is.SupersetOf(new[]
        {
            "Error of each layer", "Error of each expert", "Routers", "Ratios", "Calibration", "Tokens that reached each expert", "Size",
            "Answers against the original's", "Checks",
        }));
    }

    [Test]
    public void Every_picture_has_a_sentence_over_it_and_a_label()
    {
        var root = Parse(Page(SampleReport.Of(4, 16)));
        var figures = root.Descendants("figure").ToArray();
        Assert.That(figures, Has.Length.EqualTo(9));
        foreach (var figure in figures)
        {
            Assert.That((string?)figure.ElementsBeforeSelf().Last().Attribute("class"), Is.EqualTo("look"), figure.ToString()[..80]);
            Assert.That((string?)figure.Elements("svg").Single().Attribute("aria-label"), Is.Not.Empty);
        }
    }

    [Test]
    public void Numbers_are_the_same_in_every_culture()
    {
        var report = SampleReport.Of(3, 8);
        var page = Page(report);
        var before = CultureInfo.CurrentCulture;
        var odd = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        odd.NumberFormat.NumberDecimalSeparator = ",";
        odd.NumberFormat.NumberGroupSeparator = ".";
        odd.NumberFormat.NegativeSign = "~";
        odd.NumberFormat.PercentDecimalSeparator = ",";
        odd.DateTimeFormat.DateSeparator = "!";
        odd.DateTimeFormat.TimeSeparator = "!";
        CultureInfo.CurrentCulture = odd;
        try
        {
            Assert.That(Page(report), Is.EqualTo(page));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Test]
    public void Figures_that_are_no_numbers_are_dashes()
    {
        var report = SampleReport.Of(2, 4);
        var broken = report.Layers[0] with
        {
            Error = new(double.NaN, double.PositiveInfinity),
            MaxLog2Scale = double.NaN,
            Ratios = [double.NaN],
            Experts = [.. report.Layers[0].Experts.Select(expert => expert with { Error = new(double.NaN, double.NaN), Ratio = double.NaN })],
        };
        var page = Page(report with { Layers = [broken, report.Layers[1]], Seconds = double.NaN });
        Assert.That(page, Does.Not.Contain("NaN").And.Not.Contain("∞").And.Not.Contain("Infinity"));
        Assert.That(() => Parse(page), Throws.Nothing);
    }

    [Test]
    public void Cold_experts_are_named()
    {
        var report = SampleReport.Of(1, 4);
        var layer = report.Layers[0] with { Experts = [.. ((long[])[1000, 0, 90, 1200]).Select(tokens => new ExpertReport(null, null, tokens))] };
        var text = string.Concat(Parse(Page(report with { Layers = [layer with { Layer = 7 }] })).Descendants("p").Select(p => p.Value));
        Assert.That(text, Does.Contain("1 of 4 experts are cold, 1 of them saw no token. The coldest, as layer.expert (tokens): 7.1 (0)."));
    }

    [Test]
    public void An_axis_has_round_marks_and_reaches_all_values()
    {
        var axis = new Axis([0.083, 0.127, double.NaN], start: 200, end: 10);
        Assert.That(axis.Ticks.Select(axis.Label), Is.EqualTo(new[] { "0.00", "0.05", "0.10", "0.15" }));
        Assert.That(((double[])[0, 0.15, 0.075]).Select(axis.At), Is.EqualTo(new[] { 200.0, 10, 105 }).Within(1e-9));
        Assert.That(new Axis([], 0, 1, low: null).Ticks, Has.Count.InRange(2, 7), "of nothing");
        Assert.That(new Axis([3, 3], 0, 1, low: null).Ticks, Has.Count.InRange(2, 7), "of one value");
        var share = new Axis([0.97, 0.995], 0, 1, low: null, high: 1, percent: true);
        Assert.That(share.Label(share.Ticks[^1]), Is.EqualTo("100 %"));
        Assert.That(new Axis([12_345], 0, 1).Ticks.Select(tick => new Axis([12_345], 0, 1).Label(tick)), Has.Some.EqualTo("10,000"));
    }

    [Test]
    public void The_stream_stays_open()
    {
        using var stream = new MemoryStream();
        ReportPage.Write(SampleReport.Of(1, 0), stream);
        Assert.That(() => stream.WriteByte(0), Throws.Nothing);
    }

    [GeneratedRegex(@"\b(src|href|xlink|srcset|action)\s*=|url\s*\(|@import", RegexOptions.IgnoreCase)]
    private static partial Regex Outside();

    private static QuantizeReport Everywhere(string text)
    {
        var report = SampleReport.Of(2, 4, text);
        return report with
        {
            Output = text,
            Machine = text,
            Recipe = new(text, text, text, [new(text, text)]),
            Warnings = [text],
            Calibration = new(1, 10, [new(text, 1, 10)], [new(text, 1)], [new(text, 1)], [text]),
            Sizes = report.Sizes with { Kinds = [new(text, 10, 5)] },
            Quality = report.Quality! with { Warnings = [text] },
            Checks = [new(text, text, text, text), new("a", text, "ok", text)],
        };
    }

    private static string[] Headings(QuantizeReport report) =>
        [.. Parse(Page(report)).Descendants().Where(e => e.Name.LocalName is "h2" or "h3").Select(e => e.Value)];

    private static string Page(QuantizeReport report)
    {
        using var stream = new MemoryStream();
        ReportPage.Write(report, stream);
        return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(stream.ToArray());
    }

    private static XElement Parse(string page)
    {
        using var reader = XmlReader.Create(new StringReader(page), new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore });
        return XElement.Load(reader);
    }
}
