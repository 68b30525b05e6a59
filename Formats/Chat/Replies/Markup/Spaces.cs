namespace Quilt.Formats.Chat.Replies;

/// <summary>White space as Python's str.strip and <c>\s</c> know it; the dialects' references are written in Python.</summary>
internal static class Spaces
{
    public static bool IsSpace(char c) => char.IsWhiteSpace(c) || c is >= '\x1c' and <= '\x1f';

    public static bool IsBlank(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (!IsSpace(c)) return false;
        }
        return true;
    }

    /// <summary>Whether a value's trimming takes <paramref name="c"/> off.</summary>
    public static bool IsTrimmed(char c, ArgumentRules rules) => rules.TrimNewlinesOnly ? c is '\n' or '\r' : IsSpace(c);

    /// <summary>A value without what surrounds it.</summary>
    public static string Trim(string text, ArgumentRules rules)
    {
        var (start, end) = (0, text.Length);
        if (rules.Edge == ValueEdge.Exact) return text;
        if (rules.Edge == ValueEdge.OneLineBreak)
        {
            if (text.StartsWith('\n')) start++;
            if (end > start && text[end - 1] == '\n') end--;
            return text[start..end];
        }
        while (start < end && IsTrimmed(text[start], rules)) start++;
        while (end > start && IsTrimmed(text[end - 1], rules)) end--;
        return text[start..end];
    }
}
