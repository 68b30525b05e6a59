using System.Text;
using Quilt.Quantizer.Report.Page;

namespace Quilt.Quantizer.Report;

/// <summary>
/// A report as one HTML file: pictures are inside, nothing is fetched from anywhere and nothing runs. It follows the reader's choice of light
/// or dark, and is well-formed XML.
/// </summary>
internal static class ReportPage
{
    /// <summary>Writes the page; the stream stays open.</summary>
    public static void Write(QuantizeReport report, Stream output)
    {
        using var text = new StreamWriter(output, new UTF8Encoding(false), bufferSize: 1 << 16, leaveOpen: true) { NewLine = "\n" };
        text.Write("<!DOCTYPE html>\n");
        var page = new Markup(text);
        page.Open("html", ("lang", "en")).Open("head");
        page.Empty("meta", ("charset", "utf-8"));
        page.Empty("meta", ("name", "viewport"), ("content", "width=device-width, initial-scale=1"));
        page.Element("title", $"Quantizing {report.Model}").Style(PageStyle.Css).Close();
        page.Open("body").Open("main");
        SummarySection.Write(page, report);
        LayersSection.Write(page, report);
        CalibrationSection.Write(page, report);
        SizesSection.Write(page, report.Sizes);
        QualitySection.Write(page, report.Quality);
        ChecksSection.Write(page, report.Checks);
        RecipeSection.Write(page, report);
        page.Close().Close().Close();
    }
}
