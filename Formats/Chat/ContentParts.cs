using System.Text.RegularExpressions;

namespace Quilt.Formats.Chat;

/// <summary>
/// Whether a template loops over the parts of a message's content, or takes content for a text, by the loops that stand in it: over
/// <c>message.content</c> itself, or over a variable that was set to it. A macro that is called with the content tells nothing: it takes both.
/// </summary>
internal static partial class ContentParts
{
    /// <summary>Whether it does.</summary>
    public static bool AreLookedInto(string template)
    {
        if (OverContent().IsMatch(template)) return true;
        foreach (var set in SetToContent().EnumerateMatches(template))
        {
            var text = template.AsSpan(set.Index, set.Length);
            var name = text[3..text.IndexOf('=')].Trim().ToString();
            if (Loops(template, name)) return true;
        }
        return false;
    }

    private static bool Loops(string template, string name)
    {
        foreach (var loop in OverName().EnumerateMatches(template))
        {
            if (template.AsSpan(loop.Index, loop.Length).TrimEnd().EndsWith($" {name}", StringComparison.Ordinal)) return true;
        }
        return false;
    }

    [GeneratedRegex("""\bfor\s+\w+\s+in\s+\w+(\.content\b|\[\s*['"]content['"]\s*\])""", RegexOptions.NonBacktracking)]
    private static partial Regex OverContent();

    [GeneratedRegex("""\bset\s+\w+\s*=\s*\w+(\.content\b|\[\s*['"]content['"]\s*\])""", RegexOptions.NonBacktracking)]
    private static partial Regex SetToContent();

    [GeneratedRegex("""\bfor\s+\w+\s+in\s+\w+\b""", RegexOptions.NonBacktracking)]
    private static partial Regex OverName();
}
