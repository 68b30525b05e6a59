using System.Globalization;
using System.Text;

namespace Quilt.Formats.Chat.Jinja;

/// <summary>Methods of strings.</summary>
internal static class StringMethods
{
    private delegate object? Body(string text, Arguments arguments, Run run);

    private static readonly Dictionary<string, Body> All = new(StringComparer.Ordinal)
    {
        ["upper"] = (s, a, run) => run.Made(Upper(s)),
        ["lower"] = (s, a, run) => run.Made(s.ToLowerInvariant()),
        ["casefold"] = (s, a, run) => run.Made(s.ToLowerInvariant().Replace("ß", "ss", StringComparison.Ordinal)),
        ["swapcase"] = (s, a, run) => run.Made(string.Concat(s.Select(c => char.IsUpper(c) ? char.ToLowerInvariant(c) : char.ToUpperInvariant(c)))),
        ["capitalize"] = (s, a, run) => run.Made(Capitalize(s)),
        ["title"] = (s, a, run) => run.Made(Title(s)),
        ["strip"] = (s, a, run) => PythonText.Strip(s, Characters(a), left: true, right: true),
        ["lstrip"] = (s, a, run) => PythonText.Strip(s, Characters(a), left: true, right: false),
        ["rstrip"] = (s, a, run) => PythonText.Strip(s, Characters(a), left: false, right: true),
        ["startswith"] = (s, a, run) => Any(a.Need(0, "prefix"), part => s.StartsWith(part, StringComparison.Ordinal), "startswith"),
        ["endswith"] = (s, a, run) => Any(a.Need(0, "suffix"), part => s.EndsWith(part, StringComparison.Ordinal), "endswith"),
        ["removeprefix"] = (s, a, run) => s.StartsWith(Text(a, 0), StringComparison.Ordinal) ? s[Text(a, 0).Length..] : s,
        ["removesuffix"] = (s, a, run) => Text(a, 0).Length > 0 && s.EndsWith(Text(a, 0), StringComparison.Ordinal) ? s[..^Text(a, 0).Length] : s,
        ["replace"] = (s, a, run) => Replace(s, Text(a, 0), Text(a, 1), a.Whole(2, "count", -1), run),
        ["split"] = (s, a, run) => new JinjaList(Split(s, a, fromRight: false, run)),
        ["rsplit"] = (s, a, run) => new JinjaList(Split(s, a, fromRight: true, run)),
        ["splitlines"] = (s, a, run) => new JinjaList(Lines(s, a.Flag(0, "keepends", false))),
        ["partition"] = (s, a, run) => Partition(s, Text(a, 0), s.IndexOf(Text(a, 0), StringComparison.Ordinal), last: false),
        ["rpartition"] = (s, a, run) => Partition(s, Text(a, 0), s.LastIndexOf(Text(a, 0), StringComparison.Ordinal), last: true),
        ["find"] = (s, a, run) => CodePointIndex(s, s.IndexOf(Text(a, 0), StringComparison.Ordinal)),
        ["rfind"] = (s, a, run) => CodePointIndex(s, s.LastIndexOf(Text(a, 0), StringComparison.Ordinal)),
        ["index"] = (s, a, run) => s.Contains(Text(a, 0), StringComparison.Ordinal) ? CodePointIndex(s, s.IndexOf(Text(a, 0), StringComparison.Ordinal)) : throw new JinjaError("substring not found"),
        ["count"] = (s, a, run) => Text(a, 0).Length == 0 ? PythonText.Length(s) + 1L : (long)(s.Split(Text(a, 0)).Length - 1),
        ["join"] = (s, a, run) => run.Made(Join(s, a.Need(0, "iterable"), run)),
        ["isdigit"] = (s, a, run) => All1(s, c => Rune.IsDigit(c) || Rune.GetNumericValue(c) is >= 0 and <= 9 && Rune.GetUnicodeCategory(c) == UnicodeCategory.OtherNumber),
        ["isdecimal"] = (s, a, run) => All1(s, Rune.IsDigit),
        ["isnumeric"] = (s, a, run) => All1(s, Rune.IsNumber),
        ["isalpha"] = (s, a, run) => All1(s, Rune.IsLetter),
        ["isalnum"] = (s, a, run) => All1(s, c => Rune.IsLetter(c) || Rune.IsNumber(c)),
        ["isspace"] = (s, a, run) => s.Length > 0 && s.All(PythonText.IsSpace),
        ["isupper"] = (s, a, run) => s.Any(char.IsUpper) && !s.Any(char.IsLower),
        ["islower"] = (s, a, run) => s.Any(char.IsLower) && !s.Any(char.IsUpper),
        ["istitle"] = (s, a, run) => s.Any(char.IsLetter) && s == Title(s),
        ["zfill"] = (s, a, run) => ZeroFill(s, Width(a, run)),
        ["ljust"] = (s, a, run) => s + Fill(a, Width(a, run) - PythonText.Length(s)),
        ["rjust"] = (s, a, run) => Fill(a, Width(a, run) - PythonText.Length(s)) + s,
        ["center"] = (s, a, run) => Center(s, Width(a, run), a.Text(1, "fillchar", " ")),
        ["expandtabs"] = (s, a, run) => run.Made(s.Replace("\t", new string(' ', (int)Math.Clamp(a.Whole(0, "tabsize", 8), 0, 100)), StringComparison.Ordinal)),
        ["format"] = (s, a, run) => BraceFormat.Apply(s, a, run),
    };

    /// <summary>A method bound to a string; null where there is none of that name.</summary>
    public static object? Find(string text, string name) => All.TryGetValue(name, out var body) ? new Callable(name, (run, arguments) => body(text, arguments, run)) : null;

    public static string Capitalize(string s)
    {
        if (s.Length == 0) return s;
        var first = char.IsHighSurrogate(s[0]) && s.Length > 1 ? 2 : 1;
        return s[..first].ToUpperInvariant() + s[first..].ToLowerInvariant();
    }

    /// <summary>ToUpperInvariant, with the one expansion that matters.</summary>
    public static string Upper(string s) => s.ToUpperInvariant().Replace("ß", "SS", StringComparison.Ordinal);

    public static string Replace(string text, string from, string to, long count, Run run)
    {
        if (count == 0) return text;
        if (from.Length == 0)
        {
            var pieces = PythonText.Characters(text).ToList();
            var made = new StringBuilder();
            var left = count < 0 ? long.MaxValue : count;
            foreach (var piece in pieces)
            {
                if (left-- > 0) made.Append(to);
                made.Append(piece);
                run.SpendText(made.Length);
            }
            return left > 0 ? made.Append(to).ToString() : made.ToString();
        }
        long found = 0;
        for (var at = 0; (at = text.IndexOf(from, at, StringComparison.Ordinal)) >= 0 && found != count; at += from.Length) found++;
        run.SpendText(text.Length + (found * ((long)to.Length - from.Length)));
        if (found == 0) return text;
        if (count < 0) return text.Replace(from, to, StringComparison.Ordinal);
        var result = new StringBuilder();
        var start = 0;
        for (; found > 0; found--)
        {
            var at = text.IndexOf(from, start, StringComparison.Ordinal);
            result.Append(text, start, at - start).Append(to);
            start = at + from.Length;
        }
        return result.Append(text, start, text.Length - start).ToString();
    }

    public static string Center(string s, int width, string fill)
    {
        var missing = width - PythonText.Length(s);
        if (missing <= 0) return s;
        var left = (missing / 2) + (missing & width & 1);
        return string.Concat(Enumerable.Repeat(fill, left)) + s + string.Concat(Enumerable.Repeat(fill, missing - left));
    }

    private static string Title(string s)
    {
        var made = new StringBuilder(s.Length);
        var inWord = false;
        foreach (var c in s)
        {
            made.Append(inWord ? char.ToLowerInvariant(c) : char.ToUpperInvariant(c));
            inWord = char.IsLetter(c);
        }
        return made.ToString();
    }

    private static string Join(string separator, object? items, Run run)
    {
        var made = new StringBuilder();
        var first = true;
        foreach (var item in Python.Iterate(items))
        {
            if (item is not string text) throw new JinjaError($"sequence item: expected str instance, {Python.TypeName(item)} found");
            if (!first) made.Append(separator);
            made.Append(text);
            run.SpendText(made.Length > Run.MaxText ? made.Length : 0);
            first = false;
        }
        return made.ToString();
    }

    private static object?[] Split(string s, Arguments a, bool fromRight, Run run)
    {
        run.Spend(s.Length);
        var separator = a.Get(0, "sep", null);
        var most = a.Whole(1, "maxsplit", -1);
        if (separator is Undefined u) throw u.Fail();
        if (separator is not (null or string)) throw new JinjaError($"must be str or None, not {Python.TypeName(separator)}");
        if (separator is "") throw new JinjaError("empty separator");
        var limit = most < 0 ? int.MaxValue : (int)Math.Min(most, int.MaxValue - 1);
        return separator is string by ? SplitBy(s, by, limit, fromRight) : SplitSpaces(s, limit, fromRight);
    }

    private static object?[] SplitBy(string s, string by, int limit, bool fromRight)
    {
        if (!fromRight) return limit == int.MaxValue ? s.Split(by) : s.Split(by, limit + 1);
        var parts = new List<object?>();
        var end = s.Length;
        for (; limit > 0 && end >= by.Length && s.LastIndexOf(by, end - 1, end, StringComparison.Ordinal) is >= 0 and var at; limit--)
        {
            parts.Add(s[(at + by.Length)..end]);
            end = at;
        }
        parts.Add(s[..end]);
        parts.Reverse();
        return [.. parts];
    }

    private static object?[] SplitSpaces(string s, int limit, bool fromRight)
    {
        var parts = new List<object?>();
        if (fromRight && limit < int.MaxValue)
        {
            var end = PythonText.Strip(s, null, false, true);
            for (; limit > 0 && end.Length > 0; limit--)
            {
                var at = end.Length;
                while (at > 0 && !PythonText.IsSpace(end[at - 1])) at--;
                if (at == 0) break;
                parts.Add(end[at..]);
                end = PythonText.Strip(end[..at], null, false, true);
            }
            if (end.Length > 0) parts.Add(PythonText.Strip(end, null, true, false));
            parts.Reverse();
            return [.. parts];
        }
        for (var i = 0; i < s.Length;)
        {
            while (i < s.Length && PythonText.IsSpace(s[i])) i++;
            if (i == s.Length) break;
            if (limit-- <= 0)
            {
                parts.Add(PythonText.Strip(s[i..], null, false, true));
                break;
            }
            var start = i;
            while (i < s.Length && !PythonText.IsSpace(s[i])) i++;
            parts.Add(s[start..i]);
        }
        return [.. parts];
    }

    private static object?[] Lines(string s, bool keepEnds)
    {
        var lines = new List<object?>();
        for (var i = 0; i < s.Length;)
        {
            var end = i;
            while (end < s.Length && !(s[end] is '\n' or '\r' or '\v' or '\f' or '\x1c' or '\x1d' or '\x1e' or '\x85' or '\u2028' or '\u2029')) end++;
            var next = end < s.Length ? end + (s[end] == '\r' && end + 1 < s.Length && s[end + 1] == '\n' ? 2 : 1) : end;
            lines.Add(s[i..(keepEnds ? next : end)]);
            i = next;
        }
        return [.. lines];
    }

    private static JinjaTuple Partition(string s, string by, int at, bool last)
    {
        if (by.Length == 0) throw new JinjaError("empty separator");
        if (at < 0) return last ? new(["", "", s]) : new([s, "", ""]);
        return new([s[..at], by, s[(at + by.Length)..]]);
    }

    private static bool Any(object? parts, Func<string, bool> holds, string name) => parts switch
    {
        string part => holds(part),
        JinjaTuple tuple => tuple.Items.Any(part => part is string text && holds(text)),
        Undefined u => throw u.Fail(),
        _ => throw new JinjaError($"{name} first arg must be str or a tuple of str, not {Python.TypeName(parts)}"),
    };

    private static bool All1(string s, Func<Rune, bool> holds) => s.Length > 0 && s.EnumerateRunes().All(holds);

    private static long CodePointIndex(string s, int at) => at < 0 ? -1 : PythonText.Length(s[..at]);

    private static string Text(Arguments a, int place) => a.Need(place, "argument") switch
    {
        string text => text,
        Undefined u => throw u.Fail(),
        var other => throw new JinjaError($"argument {place + 1} must be str, not {Python.TypeName(other)}"),
    };

    private static string? Characters(Arguments a) => a.AtMost(1).Get(0, "chars", null) switch
    {
        null => null,
        string text => text,
        Undefined u => throw u.Fail(),
        _ => throw new JinjaError("strip arg must be None or str"),
    };

    private static int Width(Arguments a, Run run)
    {
        var width = a.Whole(0, "width", 0);
        run.SpendText(Math.Max(0, width));
        return (int)width;
    }

    private static string Fill(Arguments a, int count) => count <= 0 ? "" : new string(a.Text(1, "fillchar", " ")[0], count);

    private static string ZeroFill(string s, int width)
    {
        var sign = s.Length > 0 && s[0] is '-' or '+' ? 1 : 0;
        return s.Length >= width ? s : s[..sign] + new string('0', width - s.Length) + s[sign..];
    }
}
