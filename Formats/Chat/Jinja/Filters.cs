using System.Globalization;
using System.Numerics;
using System.Text;

namespace Quilt.Formats.Chat.Jinja;

/// <summary>Jinja's filters on single values; those on sequences are in <see cref="SequenceFilters"/>.</summary>
internal static class Filters
{
    private static readonly Dictionary<string, Func<Run, object?, Arguments, object?>> All = Build();

    /// <summary>A filter by name; null where there is none.</summary>
    public static Func<Run, object?, Arguments, object?>? Find(string name) => All.GetValueOrDefault(name);

    private static Dictionary<string, Func<Run, object?, Arguments, object?>> Build()
    {
        var all = new Dictionary<string, Func<Run, object?, Arguments, object?>>(StringComparer.Ordinal)
        {
            ["abs"] = (run, v, a) => v is Undefined u ? throw u.Fail() : Python.TryNumber(v, out var n) ? n.Abs().Box() : throw new JinjaError($"bad operand type for abs(): '{Python.TypeName(v)}'"),
            ["attr"] = (run, v, a) => Members.Attribute(v, Python.Str(a.Need(0, "name"))),
            ["capitalize"] = (run, v, a) => run.Made(StringMethods.Capitalize(Python.Str(v))),
            ["center"] = (run, v, a) => Center(run, v, a),
            ["default"] = Default,
            ["d"] = Default,
            ["escape"] = (run, v, a) => run.Made(JinjaMarkup.Escape(Python.Str(v))),
            ["e"] = (run, v, a) => run.Made(JinjaMarkup.Escape(Python.Str(v))),
            ["forceescape"] = (run, v, a) => run.Made(JinjaMarkup.Escape(Python.Str(v))),
            ["float"] = (run, v, a) => ToFloat(v, a),
            ["format"] = (run, v, a) => PercentFormat.Apply(Python.Str(v), a.Named.Count > 0 ? Mapping(a) : new JinjaTuple(a.Positional), run),
            ["indent"] = Indent,
            ["int"] = (run, v, a) => ToInt(v, a),
            ["length"] = (run, v, a) => Python.Length(v),
            ["count"] = (run, v, a) => Python.Length(v),
            ["lower"] = (run, v, a) => run.Made(Python.Str(v).ToLowerInvariant()),
            ["upper"] = (run, v, a) => run.Made(StringMethods.Upper(Python.Str(v))),
            ["replace"] = (run, v, a) => StringMethods.Replace(Python.Str(v), Python.Str(a.Need(0, "old")), Python.Str(a.Need(1, "new")), a.Whole(2, "count", -1), run),
            ["round"] = (run, v, a) => Round(v, a),
            ["safe"] = (run, v, a) => new JinjaMarkup(Python.Str(v)),
            ["string"] = (run, v, a) => run.Made(Python.Str(v)),
            ["striptags"] = (run, v, a) => run.Made(StripTags(Python.Str(v))),
            ["title"] = (run, v, a) => run.Made(Title(Python.Str(v))),
            ["tojson"] = Json.Filter,
            ["trim"] = (run, v, a) => PythonText.Strip(Python.Str(v), a.AtMost(1, "chars").Get(0, "chars", null) as string, left: true, right: true),
            ["truncate"] = (run, v, a) => Truncate(Python.Str(v), a),
            ["urlencode"] = (run, v, a) => run.Made(Uri.EscapeDataString(Python.Str(v)).Replace("%2F", "/", StringComparison.Ordinal)),
            ["wordcount"] = (run, v, a) => Words(Python.Str(v)),
            ["items"] = (run, v, a) => v is Undefined ? new JinjaGenerator([])
                : v is JinjaDict dict ? new JinjaGenerator([.. dict.Entries.Select(p => (object?)new JinjaTuple([p.Key, p.Value]))]) : throw new JinjaError("Can only get item pairs from a mapping."),
            ["pprint"] = (run, v, a) => run.Made(Python.Repr(v)),
        };
        foreach (var (name, filter) in SequenceFilters.All) all.Add(name, filter);
        return all;
    }

    private static object? Default(Run run, object? value, Arguments a) =>
        value is Undefined || (a.Flag(1, "boolean", false) && !Python.IsTrue(value)) ? a.AtMost(2, "default_value", "boolean").Get(0, "default_value", "") : value;

    private static string Center(Run run, object? value, Arguments a)
    {
        var width = a.Whole(0, "width", 80);
        run.SpendText(Math.Max(0, width));
        return StringMethods.Center(Python.Str(value), (int)width, " ");
    }

    private static JinjaDict Mapping(Arguments a)
    {
        var dict = new JinjaDict();
        foreach (var (key, value) in a.Named) dict.Set(key, value);
        return dict;
    }

    private static object? ToFloat(object? value, Arguments a)
    {
        if (value is Undefined u) throw u.Fail();
        if (Python.TryNumber(value, out var number)) return number.Box() is double d ? d : double.Parse(number.Box().ToString()!, CultureInfo.InvariantCulture);
        return value is string text && double.TryParse(text.Trim().Replace("_", "", StringComparison.Ordinal), NumberStyles.Float, CultureInfo.InvariantCulture, out var real) ? real : a.Get(0, "default", 0.0);
    }

    private static object? ToInt(object? value, Arguments a)
    {
        if (value is Undefined u) throw u.Fail();
        var otherwise = a.Get(0, "default", 0L);
        switch (value)
        {
            case bool b: return b ? 1L : 0L;
            case long or BigInteger: return value;
            case double d: return double.IsFinite(d) ? new Number(new BigInteger(Math.Truncate(d))).Box() : otherwise;
            case string text:
                text = text.Trim().Replace("_", "", StringComparison.Ordinal);
                var radix = a.Whole(1, "base", 10);
                try
                {
                    if (radix is 2 or 8 or 16)
                    {
                        var digits = text.Length > 2 && text[0] == '0' && char.IsAsciiLetter(text[1]) ? text[2..] : text;
                        return Convert.ToInt64(digits, (int)radix);
                    }
                }
                catch (Exception e) when (e is FormatException or OverflowException or ArgumentException)
                {
                    return otherwise;
                }
                if (text.Length <= 4300 && BigInteger.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole)) return new Number(whole).Box();
                return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var real) && double.IsFinite(real) ? new Number(new BigInteger(Math.Truncate(real))).Box() : otherwise;
            default: return otherwise;
        }
    }

    private static object? Round(object? value, Arguments a)
    {
        if (!Python.TryNumber(value, out var number)) throw new JinjaError($"type {Python.TypeName(value)} doesn't define __round__ method");
        var boxed = number.Box();
        var digits = (int)Math.Clamp(a.Whole(0, "precision", 0), -15, 15);
        var method = a.Text(1, "method", "common");
        var real = boxed is double d ? d : double.Parse(boxed.ToString()!, CultureInfo.InvariantCulture);
        if (method == "common") return boxed is double ? digits >= 0 ? Math.Round(real, digits) : Math.Round(real / Math.Pow(10, -digits)) * Math.Pow(10, -digits) : boxed;
        var scale = Math.Pow(10, digits);
        return method switch
        {
            "ceil" => Math.Ceiling(real * scale) / scale,
            "floor" => Math.Floor(real * scale) / scale,
            _ => throw new JinjaError("method must be common, ceil or floor"),
        };
    }

    private static string Indent(Run run, object? value, Arguments a)
    {
        a.AtMost(3, "width", "first", "blank");
        var margin = a.Get(0, "width", 4L) is string own ? own : null;
        if (margin is null)
        {
            var width = a.Whole(0, "width", 4);
            run.SpendText(Math.Max(0, width));
            margin = new string(' ', (int)Math.Max(0, width));
        }
        var (first, blank) = (a.Flag(1, "first", false), a.Flag(2, "blank", false));
        var lines = (Python.Str(value) + "\n").Split('\n')[..^1];
        var made = new StringBuilder();
        for (var i = 0; i < lines.Length; i++)
        {
            if (i > 0) made.Append('\n');
            if ((i > 0 || first) && (blank || lines[i].Length > 0 || (i == 0 && first))) made.Append(margin);
            made.Append(lines[i]);
            run.SpendText(made.Length > Run.MaxText ? made.Length : margin.Length);
        }
        return made.ToString();
    }

    private static string StripTags(string text)
    {
        var made = new StringBuilder();
        var inTag = false;
        foreach (var c in text)
        {
            if (c == '<') inTag = true;
            else if (c == '>' && inTag) inTag = false;
            else if (!inTag) made.Append(c);
        }
        return string.Join(' ', made.ToString().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
    }

    // Every word starts large; words begin behind spaces, hyphens and opening brackets.
    private static string Title(string text)
    {
        var made = new StringBuilder(text.Length);
        var start = true;
        foreach (var c in text)
        {
            made.Append(start ? char.ToUpperInvariant(c) : char.ToLowerInvariant(c));
            start = c is '-' or '(' or '{' or '[' or '<' || PythonText.IsSpace(c);
        }
        return made.ToString();
    }

    private static string Truncate(string text, Arguments a)
    {
        var length = a.Whole(0, "length", 255);
        var (kill, end, leeway) = (a.Flag(1, "killwords", false), a.Text(2, "end", "..."), a.Whole(3, "leeway", 5));
        if (length < end.Length) throw new JinjaError($"expected length >= {end.Length}, got {length}");
        var characters = PythonText.Characters(text).ToList();
        if (characters.Count <= length + leeway) return text;
        var cut = string.Concat(characters.Take((int)length - PythonText.Length(end)));
        if (kill) return cut + end;
        var space = cut.LastIndexOf(' ');
        return (space < 0 ? cut : cut[..space]) + end;
    }

    private static long Words(string text)
    {
        var (count, inside) = (0L, false);
        foreach (var c in text)
        {
            var word = char.IsLetterOrDigit(c) || c == '_' || char.IsSurrogate(c);
            if (word && !inside) count++;
            inside = word;
        }
        return count;
    }
}
