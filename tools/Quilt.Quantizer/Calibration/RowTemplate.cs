using Quilt.Formats.Chat.Jinja;

namespace Quilt.Quantizer.Calibration;

/// <summary>A parameter of a formatter: a text, or a template that every row fills in. A template is read when the first row comes.</summary>
internal sealed class RowTemplate(string text, string name)
{
    private Template? template;

    /// <summary>Whether a text is a template: it is where something is printed. One with statements alone is a plain text.</summary>
    public static bool IsOne(string text) =>
        text.Contains("{{", StringComparison.Ordinal) && text.Contains("}}", StringComparison.Ordinal);

    /// <summary>The text for a row.</summary>
    /// <exception cref="JinjaException">The template cannot be read, or fails on this row.</exception>
    public string Render(JinjaDict row)
    {
        if (!IsOne(text)) return text;
        template ??= Template.Parse(text, name, TemplateStyle.StrictHtml);
        return template.Render([.. RowFunctions.All, new("row", row)]);
    }
}
