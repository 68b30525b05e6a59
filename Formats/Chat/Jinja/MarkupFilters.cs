using System.Globalization;
using System.Net;
using System.Text;

namespace Quilt.Formats.Chat.Jinja;

/// <summary>Jinja's filters that know HTML.</summary>
internal static class MarkupFilters
{
    /// <summary>Comments and tags gone, spaces made one, entities resolved.</summary>
    public static string StripTags(string text)
    {
        text = Without(Without(text, "<!--", "-->"), "<", ">");
        return WebUtility.HtmlDecode(string.Join(' ', StringSplit.Words(text)));
    }

    private static string Without(string text, string open, string close)
    {
        var made = new StringBuilder();
        var at = 0;
        while (text.IndexOf(open, at, StringComparison.Ordinal) is >= 0 and var start
            && text.IndexOf(close, start, StringComparison.Ordinal) is >= 0 and var end)
        {
            made.Append(text, at, start - at);
            at = end + close.Length;
        }
        return made.Append(text, at, text.Length - at).ToString();
    }

    /// <summary> key="value" for every value that is there.</summary>
    public static string Attributes(Run run, object? value, bool space)
    {
        if (value is Undefined u) throw u.Fail();
        if (value is not JinjaDict dict) throw new JinjaError($"'{Python.TypeName(value)}' object has no attribute 'items'");
        var made = new StringBuilder();
        foreach (var (key, its) in dict.Entries)
        {
            if (its is null or Undefined) continue;
            var name = Python.Str(key);
            if (name.Any(c => PythonText.IsSpace(c) || c is '/' or '>' or '='))
                throw new JinjaError($"Invalid character in attribute name: {Python.Repr(key)}");
            if (made.Length > 0 || space) made.Append(' ');
            made.Append(CultureInfo.InvariantCulture, $"{JinjaMarkup.Escape(name)}=\"{JinjaMarkup.Escape(Python.Str(its))}\"");
            run.SpendText(made.Length);
        }
        return made.ToString();
    }
}
