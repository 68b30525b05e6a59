namespace Quilt.Formats.Chat.Jinja;

/// <summary>How an environment of Jinja's is set up.</summary>
/// <param name="TrimsBlocks">trim_blocks and lstrip_blocks: a tag takes the line end behind it, and the spaces before it on its line.</param>
/// <param name="IsStrict">StrictUndefined: what is not there may only be asked whether it is, or get a default; all else fails.</param>
/// <param name="Escapes">autoescape: what is printed is escaped for HTML, unless it is safe.</param>
/// <param name="IsChat">Whether there are raise_exception and strftime_now, and tojson is that of transformers.</param>
internal sealed record TemplateStyle(bool TrimsBlocks, bool IsStrict, bool Escapes, bool IsChat)
{
    /// <summary>As transformers runs chat templates.</summary>
    public static readonly TemplateStyle Chat = new(TrimsBlocks: true, IsStrict: false, Escapes: false, IsChat: true);

    /// <summary>Jinja's own defaults with StrictUndefined and autoescape.</summary>
    public static readonly TemplateStyle StrictHtml = new(TrimsBlocks: false, IsStrict: true, Escapes: true, IsChat: false);
}
