using System.Text;
using System.Text.Json;
using Quilt.Formats;
using Quilt.Quantizer.Report;

namespace Quilt.Tests.Quantizer.Report;

/// <summary>The report's figures as JSON.</summary>
public sealed class ReportJsonTests
{
    [TestCase(3, 8)]
    [TestCase(1, 0)]
    public void What_is_written_is_read_again(int layers, int experts)
    {
        var report = SampleReport.Of(layers, experts, "ä \"quoted\" <name> 𝔘");
        var json = Write(report);
        var back = ReportJson.Read(json, "report.json");
        Assert.That(Encoding.UTF8.GetString(Write(back)), Is.EqualTo(Encoding.UTF8.GetString(json)));
        Assert.That((back.Model, back.Date, back.Seconds), Is.EqualTo((report.Model, report.Date, report.Seconds)));
        Assert.That(back.Layers[0].Experts, Is.EqualTo(report.Layers[0].Experts));
        Assert.That(back.Layers[^1].Error, Is.EqualTo(report.Layers[^1].Error));
        Assert.That(back.Quality!.Kl, Is.EqualTo(report.Quality!.Kl));
    }

    [Test]
    public void It_says_what_the_page_says()
    {
        using var json = JsonDocument.Parse(Write(SampleReport.Of(2, 4)));
        var root = json.RootElement;
        Assert.That(root.GetProperty("layers")[1].GetProperty("experts")[3].GetProperty("error").GetProperty("after").GetDouble(), Is.GreaterThan(0));
        Assert.That(root.GetProperty("layers")[0].GetProperty("max_log2_scale").ValueKind, Is.EqualTo(JsonValueKind.Number));
        Assert.That(root.GetProperty("calibration").GetProperty("datasets")[0].GetProperty("rows").GetInt32(), Is.EqualTo(8));
        var sizes = root.GetProperty("sizes");
        Assert.That(sizes.GetProperty("bytes_after").GetInt64(), 
            Is.EqualTo(126_382_768_128 + 2_731_000_000 + 2_458_386_432 + 195_035_136 + 1_700_000));
        Assert.That(sizes.GetProperty("memory").GetArrayLength(), Is.EqualTo(4));
        Assert.That(root.GetProperty("quality").GetProperty("top1_agreement").GetDouble(), Is.EqualTo(0.953));
        Assert.That(root.GetProperty("checks")[2].GetProperty("status").GetString(), Is.EqualTo("fail"));
    }

    [Test]
    public void A_figure_that_is_no_number_does_not_cost_the_report()
    {
        var report = SampleReport.Of(1, 0);
        report = report with { Layers = [report.Layers[0] with { Error = new(double.NaN, double.PositiveInfinity) }] };
        var error = ReportJson.Read(Write(report), "report.json").Layers[0].Error!;
        Assert.That(error, Is.EqualTo(new BeforeAfter(double.NaN, double.PositiveInfinity)));
    }

    [TestCase("null")]
    [TestCase("{}")]
    [TestCase("[1]")]
    [TestCase("{\"model\": 1}")]
    public void What_is_no_report_is_refused(string json) =>
        Assert.That(() => ReportJson.Read(Encoding.UTF8.GetBytes(json), "report.json"),
            Throws.TypeOf<BadInputException>().With.Message.StartsWith("report.json: ").And.Message.Contains("expected a report"));

    private static byte[] Write(QuantizeReport report)
    {
        using var stream = new MemoryStream();
        ReportJson.Write(report, stream);
        return stream.ToArray();
    }
}
