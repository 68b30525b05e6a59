namespace Quilt.Formats.Chat.Jinja;

/// <summary>A template's text with line ends made uniform, and how complaints about it are worded.</summary>
internal sealed class TemplateSource
{
    private const int LongestShown = 160;

    public TemplateSource(string text, string name, TemplateStyle style)
    {
        text = text.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        Text = text.EndsWith('\n') ? text[..^1] : text;
        Name = name;
        Style = style;
    }

    public string Text { get; }

    public string Name { get; }

    public TemplateStyle Style { get; }

    public JinjaException Error(int line, string problem)
    {
        var lines = Text.Split('\n');
        var shown = line >= 1 && line <= lines.Length ? lines[line - 1].Trim() : "";
        return new JinjaException(Name, line, shown.Length <= LongestShown ? shown : shown[..LongestShown] + "…", problem);
    }
}
