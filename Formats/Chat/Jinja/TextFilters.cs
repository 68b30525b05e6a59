using System.Globalization;
using System.Text;

namespace Quilt.Formats.Chat.Jinja;

/// <summary>Jinja's filters that shape text.</summary>
internal static class TextFilters
{
    public static string Indent(Run run, object? value, Arguments a)
    {
        if (value is Undefined u) throw u.Fail();
        if (value is JinjaList) throw new JinjaError("'list' object has no attribute 'splitlines'");
        if (value is not string text) throw new JinjaError($"unsupported operand type(s) for +=: '{Python.TypeName(value)}' and 'str'");
        if (a.Get(0, "width", 4L) is not string margin)
        {
            var width = Math.Max(0, a.Whole(0, "width", 4));
            run.SpendText(width);
            margin = new string(' ', (int)width);
        }
        var (first, blank) = (a.Flag(1, "first", false), a.Flag(2, "blank", false));
        var made = new StringBuilder();
        if (first) made.Append(margin);
        var lines = StringSplit.Lines(text + "\n", keepEnds: false);
        for (var i = 0; i < lines.Count; i++)
        {
            if (i > 0) made.Append('\n');
            if (i > 0 && (blank || lines[i].Length > 0)) made.Append(margin);
            made.Append(lines[i]);
            run.SpendText(made.Length > Run.MaxText ? made.Length : margin.Length);
        }
        return made.ToString();
    }

    public static object? Truncate(object? value, Arguments a)
    {
        var length = a.Whole(0, "length", 255);
        var (kill, end, leeway) = (a.Flag(1, "killwords", false), a.Text(2, "end", "..."), a.Whole(3, "leeway", 5));
        var endLength = PythonText.Length(end);
        if (length < endLength) throw new JinjaError($"expected length >= {endLength}, got {length}");
        if (leeway < 0) throw new JinjaError($"expected leeway >= 0, got {leeway}");
        if (Python.Length(value) <= length + leeway) return value;
        if (value is not string text) throw new JinjaError($"a text is truncated, not '{Python.TypeName(value)}'");
        var cut = string.Concat(PythonText.Characters(text).Take((int)(length - endLength)));
        if (kill) return cut + end;
        var space = cut.LastIndexOf(' ');
        return (space < 0 ? cut : cut[..space]) + end;
    }

    // Every word starts large; words begin behind spaces, hyphens and opening brackets.
    public static string Title(string text)
    {
        var made = new StringBuilder(text.Length);
        var word = 0;
        for (var i = 0; i <= text.Length; i++)
        {
            if (i < text.Length && !(text[i] is '-' or '(' or '{' or '[' or '<' || PythonText.IsSpace(text[i]))) continue;
            made.Append(StringCase.Capitalize(text[word..i]));
            if (i < text.Length) made.Append(text[i]);
            word = i + 1;
        }
        return made.ToString();
    }

    public static long Words(string text)
    {
        var (count, inside) = (0L, false);
        foreach (var rune in text.EnumerateRunes())
        {
            var word = rune.Value == '_' || Rune.IsLetter(rune) || Rune.IsNumber(rune);
            if (word && !inside) count++;
            inside = word;
        }
        return count;
    }

    /// <summary>Percent-encoded UTF-8; pairs become a query.</summary>
    public static string UrlEncode(object? value) => value switch
    {
        string text => Quote(text, slash: true),
        JinjaDict dict => string.Join('&', dict.Entries.Select(p => $"{Query(p.Key)}={Query(p.Value)}")),
        JinjaList or JinjaTuple or JinjaGenerator or JinjaRange or JinjaView => string.Join('&', Python.Iterate(value).Select(pair =>
        {
            var parts = Target.Unpack(pair, 2);
            return $"{Query(parts[0])}={Query(parts[1])}";
        })),
        _ => Quote(Python.Str(value), slash: true),
    };

    private static string Query(object? value) => Quote(Python.Str(value), slash: false).Replace("%20", "+", StringComparison.Ordinal);

    private static string Quote(string text, bool slash)
    {
        var made = new StringBuilder(text.Length);
        foreach (var b in Encoding.UTF8.GetBytes(text))
        {
            if (char.IsAsciiLetterOrDigit((char)b) || b is (byte)'_' or (byte)'.' or (byte)'-' or (byte)'~' || (slash && b == '/'))
                made.Append((char)b);
            else made.Append(CultureInfo.InvariantCulture, $"%{b:X2}");
        }
        return made.ToString();
    }
}
