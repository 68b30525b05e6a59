using System.Globalization;
using System.Text;

namespace Quilt.Quantizer.Report.Page;

/// <summary>
/// Writes HTML that is well-formed XML too: every element is closed, every text and attribute is escaped, every number is written the same in every
/// culture.
/// </summary>
internal sealed class Markup(TextWriter output)
{
    private readonly Stack<string> open = [];

    /// <summary>Begins an element.</summary>
    public Markup Open(string tag, params ReadOnlySpan<(string Name, object Value)> attributes)
    {
        Begin(tag, attributes);
        output.Write('>');
        open.Push(tag);
        return this;
    }

    /// <summary>Ends the innermost element.</summary>
    public Markup Close()
    {
        output.Write($"</{open.Pop()}>");
        if (open.Count < 5) output.Write('\n');
        return this;
    }

    /// <summary>An element without content.</summary>
    public Markup Empty(string tag, params ReadOnlySpan<(string Name, object Value)> attributes)
    {
        Begin(tag, attributes);
        output.Write("/>");
        return this;
    }

    /// <summary>An element that holds a text.</summary>
    public Markup Element(string tag, string text, params ReadOnlySpan<(string Name, object Value)> attributes) =>
        Open(tag, attributes).Text(text).Close();

    /// <summary>A text.</summary>
    public Markup Text(string text)
    {
        output.Write(Escaped(text));
        return this;
    }

    /// <summary>The page's own style, which holds nothing that would have to be escaped.</summary>
    public Markup Style(string css)
    {
        output.Write($"<style>{css}</style>\n");
        return this;
    }

    /// <summary>A text in which no character means anything to a reader of HTML.</summary>
    /// <remarks>
    /// The equals sign and the first letter of an address's scheme are escaped too, though nothing asks for it: so the page's bytes show that
    /// no text in it makes a reader fetch anything. What XML does not allow is U+FFFD.
    /// </remarks>
    public static string Escaped(string text)
    {
        var safe = new StringBuilder(text.Length + 16);
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1])) safe.Append(c).Append(text[++i]);
            else if (char.IsSurrogate(c) || c is < ' ' and not ('\t' or '\n') or '\uFFFE' or '\uFFFF') safe.Append(c == '\r' ? '\n' : '\uFFFD');
            else if (c is '&' or '<' or '>' or '"' or '\'' or '=' || text.AsSpan(i).StartsWith("http", StringComparison.OrdinalIgnoreCase))
                safe.Append(CultureInfo.InvariantCulture, $"&#{(int)c};");
            else safe.Append(c);
        }
        return safe.ToString();
    }

    private void Begin(string tag, ReadOnlySpan<(string Name, object Value)> attributes)
    {
        output.Write($"<{tag}");
        foreach (var (name, value) in attributes)
        {
            var text = value switch
            {
                string given => given,
                double number => Figures.Place(number),
                _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
            };
            output.Write($" {name}=\"{Escaped(text)}\"");
        }
    }
}
