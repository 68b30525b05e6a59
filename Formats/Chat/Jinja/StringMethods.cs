using System.Globalization;
using System.Text;

namespace Quilt.Formats.Chat.Jinja;

/// <summary>Methods of strings.</summary>
internal static class StringMethods
{
    private delegate object? Body(string text, Arguments arguments, Run run);

    private static readonly Dictionary<string, Body> All = new(StringComparer.Ordinal)
    {
        ["upper"] = None("upper", StringCase.Upper),
        ["lower"] = None("lower", StringCase.Lower),
        ["casefold"] = None("casefold", StringCase.Fold),
        ["swapcase"] = None("swapcase", StringCase.Swap),
        ["capitalize"] = None("capitalize", StringCase.Capitalize),
        ["title"] = None("title", StringCase.Title),
        ["strip"] = (s, a, _) => PythonText.Strip(s, Characters(a, "strip"), left: true, right: true),
        ["lstrip"] = (s, a, _) => PythonText.Strip(s, Characters(a, "lstrip"), left: true, right: false),
        ["rstrip"] = (s, a, _) => PythonText.Strip(s, Characters(a, "rstrip"), left: false, right: true),
        ["startswith"] = (s, a, _) => StringSearch.Starts(s, Between(a, "startswith", 1, 3)),
        ["endswith"] = (s, a, _) => StringSearch.Ends(s, Between(a, "endswith", 1, 3)),
        ["removeprefix"] = (s, a, _) => s.StartsWith(Text(a, 0), StringComparison.Ordinal) ? s[Text(a, 0).Length..] : s,
        ["removesuffix"] = (s, a, _) => Text(a, 0).Length > 0 && s.EndsWith(Text(a, 0), StringComparison.Ordinal) ? s[..^Text(a, 0).Length] : s,
        ["replace"] = (s, a, run) => StringSearch.Replace(s, Text(Between(a, "replace", 2, 3), 0), Text(a, 1), a.Whole(2, "count", -1), run),
        ["split"] = (s, a, run) => StringSplit.Split(s, a.AtMost(2, "sep", "maxsplit"), fromRight: false, run),
        ["rsplit"] = (s, a, run) => StringSplit.Split(s, a.AtMost(2, "sep", "maxsplit"), fromRight: true, run),
        ["splitlines"] = (s, a, _) => new JinjaList(StringSplit.Lines(s, a.AtMost(1, "keepends").Flag(0, "keepends", false))),
        ["partition"] = (s, a, _) => StringSplit.Partition(s, Text(a, 0), last: false),
        ["rpartition"] = (s, a, _) => StringSplit.Partition(s, Text(a, 0), last: true),
        ["find"] = (s, a, _) => StringSearch.Find(s, Between(a, "find", 1, 3), last: false),
        ["rfind"] = (s, a, _) => StringSearch.Find(s, Between(a, "rfind", 1, 3), last: true),
        ["index"] = (s, a, _) => StringSearch.Index(s, Between(a, "index", 1, 3), last: false),
        ["rindex"] = (s, a, _) => StringSearch.Index(s, Between(a, "rindex", 1, 3), last: true),
        ["count"] = (s, a, _) => StringSearch.Count(s, Between(a, "count", 1, 3)),
        ["join"] = (s, a, run) => run.Made(Join(s, a.Need(0, "iterable"), run)),
        ["isascii"] = Is("isascii", s => !s.AsSpan().ContainsAnyExceptInRange('\0', '\x7f')),
        ["isdigit"] = Is("isdigit",
            s =>
            Every(s, c => Rune.GetUnicodeCategory(c) == UnicodeCategory.DecimalDigitNumber
                || (Rune.GetUnicodeCategory(c) == UnicodeCategory.OtherNumber && CharUnicodeInfo.GetDigitValue(c.ToString(), 0) >= 0))),
        ["isdecimal"] = Is("isdecimal", s => Every(s, c => Rune.GetUnicodeCategory(c) == UnicodeCategory.DecimalDigitNumber)),
        ["isnumeric"] = Is("isnumeric", s => Every(s, Rune.IsNumber)),
        ["isalpha"] = Is("isalpha", s => Every(s, Rune.IsLetter)),
        ["isalnum"] = Is("isalnum", s => Every(s, c => Rune.IsLetter(c) || Rune.IsNumber(c))),
        ["isspace"] = Is("isspace", s => s.Length > 0 && s.All(PythonText.IsSpace)),
        ["isprintable"] = Is("isprintable", s => s.EnumerateRunes().All(c => c.Value == ' ' || PythonText.IsPrintable(c))),
        ["isidentifier"] = Is("isidentifier", s => Every(s, c => c.Value == '_' || Rune.IsLetterOrDigit(c)) && !char.IsDigit(s[0])),
        ["isupper"] = Is("isupper", s => StringCase.Is(s, upper: true)),
        ["islower"] = Is("islower", s => StringCase.Is(s, upper: false)),
        ["istitle"] = Is("istitle", s => s == StringCase.Title(s) && StringCase.Upper(s) + StringCase.Lower(s) != s + s),
        ["zfill"] = (s, a, run) => StringPad.Zeros(s, a.Whole(0, "width", 0), run),
        ["ljust"] = (s, a, run) => StringPad.Left(s, a.Whole(0, "width", 0), a.Text(1, "fillchar", " "), run),
        ["rjust"] = (s, a, run) => StringPad.Right(s, a.Whole(0, "width", 0), a.Text(1, "fillchar", " "), run),
        ["center"] = (s, a, run) => StringPad.Center(s, a.Whole(0, "width", 0), a.Text(1, "fillchar", " "), run),
        ["expandtabs"] = (s, a, run) => StringPad.ExpandTabs(s, a.Whole(0, "tabsize", 8), run),
        ["translate"] = (s, a, run) => run.Made(Translate(s, a.Need(0, "table"), run)),
        ["format"] = (s, a, run) => BraceFormat.Apply(s, a, run),
    };

    /// <summary>A method bound to a string; null where there is none of that name.</summary>
    public static object? Find(string text, string name) => All.TryGetValue(name, out var body) ? new Callable(name, (run, arguments) =>
    {
        run.Spend(text.Length);
        return body(text, arguments, run);
    }) : null;

    /// <summary>An argument that must be text.</summary>
    public static string Text(Arguments a, int place) => a.Need(place, "argument") switch
    {
        string text => text,
        Undefined u => throw u.Fail(),
        var other => throw new JinjaError($"must be str, not {Python.TypeName(other)}"),
    };

    private static Body None(string name, Func<string, string> body) => (s, a, run) =>
    {
        Refuse(name, a);
        return run.Made(body(s));
    };

    private static Body Is(string name, Func<string, bool> holds) => (s, a, _) =>
    {
        Refuse(name, a);
        return holds(s);
    };

    private static void Refuse(string name, Arguments a)
    {
        if (a.Named.Count > 0) throw new JinjaError($"str.{name}() takes no keyword arguments");
        if (a.Positional.Count > 0) throw new JinjaError($"str.{name}() takes no arguments ({a.Positional.Count} given)");
    }

    private static Arguments Between(Arguments a, string name, int least, int most)
    {
        if (a.Named.Count > 0) throw new JinjaError($"str.{name}() takes no keyword arguments");
        var count = a.Positional.Count;
        if (count >= least && count <= most) return a;
        throw new JinjaError(
            name == "replace" ? $"replace expected at {(count < least ? "least" : "most")} {(count < least ? least : most)} arguments, got {count}"
            : $"{name}() takes at {(count < least ? "least" : "most")} {(count < least ? least : most)} " +
                $"argument{((count < least ? least : most) == 1 ? "" : "s")} ({count} given)");
    }

    private static bool Every(string s, Func<Rune, bool> holds) => s.Length > 0 && s.EnumerateRunes().All(holds);

    private static string? Characters(Arguments a, string name) => Between(a, name, 0, 1).Get(0, "chars", null) switch
    {
        null => null,
        string text => text,
        Undefined => throw new JinjaError($"{name} arg must be None or str"),
        _ => throw new JinjaError($"{name} arg must be None or str"),
    };

    private static string Join(string separator, object? items, Run run)
    {
        if (items is Undefined or null or bool or long or double) throw items is Undefined u ? u.Fail() : new JinjaError("can only join an iterable");
        var made = new StringBuilder();
        var all = Python.Iterate(items);
        for (var i = 0; i < all.Count; i++)
        {
            if (all[i] is not string text) throw new JinjaError($"sequence item {i}: expected str instance, {Python.TypeName(all[i])} found");
            if (i > 0) made.Append(separator);
            made.Append(text);
            run.SpendText(made.Length > Run.MaxText ? made.Length : text.Length);
        }
        return made.ToString();
    }

    // By code point: to a code point, to a text, or to nothing.
    private static string Translate(string s, object? table, Run run)
    {
        if (table is not JinjaDict dict) throw new JinjaError($"'{Python.TypeName(table)}' object is not a table of code points");
        var made = new StringBuilder(s.Length);
        foreach (var rune in s.EnumerateRunes())
        {
            if (!dict.TryGet((long)rune.Value, out var to)) made.Append(rune.ToString());
            else if (to is string text) made.Append(text);
            else if (to is not null)
                made.Append(Python.Index(to) is >= 0 and <= 0x10FFFF and var code
                    ? PythonText.FromCodePoint((int)code)
                    : throw new JinjaError("character mapping must be in range(0x110000)"));
            if (made.Length > Run.MaxText) run.SpendText(made.Length);
        }
        return made.ToString();
    }
}
