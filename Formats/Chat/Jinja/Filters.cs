namespace Quilt.Formats.Chat.Jinja;

/// <summary>Jinja's filters by name; those on sequences are in <see cref="SequenceFilters"/>.</summary>
internal static class Filters
{
    private static readonly Dictionary<string, Func<Run, object?, Arguments, object?>> All = Build();

    // These give back safe text for safe text, as the methods of markupsafe do.
    private static readonly HashSet<string> Keeping =
        new(StringComparer.Ordinal) { "capitalize", "center", "indent", "lower", "string", "title", "trim", "upper" };

    // And these want to know whether it is safe.
    private static readonly HashSet<string> Telling = new(StringComparer.Ordinal) { "default", "d", "e", "escape", "replace", "safe" };

    // Of safe text these would make safe text by rules of their own.
    private static readonly HashSet<string> Losing = new(StringComparer.Ordinal) { "format", "reverse", "truncate", "wordwrap" };

    /// <summary>A filter by name; null where there is none.</summary>
    public static Func<Run, object?, Arguments, object?>? Find(string name) => All.GetValueOrDefault(name);

    /// <summary>A filter on a value that may be safe text.</summary>
    public static object? Apply(Func<Run, object?, Arguments, object?> filter, string name, Run run, object? value, Arguments arguments)
    {
        run.SpendOn(value);
        if (value is not JinjaMarkup safe || Telling.Contains(name)) return filter(run, value, arguments);
        if (run.Style.Escapes && Losing.Contains(name)) throw new JinjaError($"the filter {name} of safe text is not supported");
        var made = filter(run, safe.Text, arguments);
        return made is string text && Keeping.Contains(name) ? new JinjaMarkup(text) : made;
    }

    // Safe text stays safe, and what takes a part's place in it is escaped; a safe replacement has the text it goes into escaped.
    private static object Replace(Run run, object? value, object? old, object? @new, long count)
    {
        var (text, from, to) = (Python.Str(value), Python.Str(old), Python.Str(@new));
        if (!run.Style.Escapes) return StringSearch.Replace(text, from, to, count, run);
        var isSafe = value is JinjaMarkup || old is JinjaMarkup || @new is JinjaMarkup;
        if (!isSafe) return StringSearch.Replace(text, from, to, count, run);
        return new JinjaMarkup(StringSearch.Replace(run.Printed(value), from, run.Printed(@new), count, run));
    }

    private static Dictionary<string, Func<Run, object?, Arguments, object?>> Build()
    {
        var all = new Dictionary<string, Func<Run, object?, Arguments, object?>>(StringComparer.Ordinal);
        void Add(string name, string parameters, Func<Run, object?, Arguments, object?> body, string? own = null)
        {
            var (signature, function) = (new Signature(parameters), own ?? $"do_{name}");
            all.Add(name, (run, value, arguments) =>
            {
                signature.Check(function, arguments);
                return body(run, value, arguments);
            });
        }
        void Text(string name, Func<string, string> body, string? own = null) => Add(name, "", (run, v, _) => run.Made(body(Python.Str(v))), own);

        Text("capitalize", StringCase.Capitalize);
        Text("lower", StringCase.Lower);
        Text("striptags", MarkupFilters.StripTags);
        Text("title", TextFilters.Title);
        Text("upper", StringCase.Upper);
        Text("string", text => text, "soft_str");
        Add("abs", "", (_, v, _) => NumberFilters.Abs(v), "abs");
        Add("attr", "name", (_, v, a) => Members.OwnAttribute(v, Python.Str(a.Need(0, "name"))));
        Add("center", "width=", (run, v, a) => StringPad.Center(Python.Str(v), a.Whole(0, "width", 80), " ", run));
        Add("count", "", (_, v, _) => Python.Length(v), "len");
        Add("length", "", (_, v, _) => Python.Length(v), "len");
        foreach (var name in (string[])["d", "default"])
            Add(name, "default_value= boolean=", (_, v, a) => v is Undefined || (a.Flag(1, "boolean", false) && !Python.IsTrue(v))
                ? a.Get(0, "default_value", "")
                : v, "do_default");
        foreach (var name in (string[])["e", "escape"])
            Add(name, "", (run, v, _) => v as JinjaMarkup ?? new JinjaMarkup(run.Made(JinjaMarkup.Escape(Python.Str(v)))), "escape");
        Add("forceescape", "", (run, v, _) => new JinjaMarkup(run.Made(JinjaMarkup.Escape(Python.Str(v)))));
        Add("filesizeformat", "binary=", (_, v, a) => NumberFilters.FileSize(v, a.Flag(0, "binary", false)));
        Add("float", "default=", (_, v, a) => NumberFilters.ToFloat(v, a));
        Add("indent", "width= first= blank=", TextFilters.Indent);
        Add("int", "default= base=", (_, v, a) => NumberFilters.ToInt(v, a));
        Add("items", "", (_, v, _) => v is Undefined ? new JinjaGenerator([])
            : v is JinjaDict dict ? new JinjaGenerator(dict.Pairs())
            : throw new JinjaError("Can only get item pairs from a mapping."));
        Add("pprint", "", (_, v, _) => PrettyPrint.Apply(v));
        Add("replace", "old new count=",
            (run, v, a) => Replace(run, v, a.Need(0, "old"), a.Need(1, "new"), a.Whole(2, "count", -1)));
        Add("round", "precision= method=", (_, v, a) => NumberFilters.Round(v, a));
        Add("safe", "", (_, v, _) => v as JinjaMarkup ?? new JinjaMarkup(Python.Str(v)), "do_mark_safe");
        Add("tojson", "ensure_ascii= indent= separators= sort_keys=",
            (run, v, a) => run.Style.IsChat ? Json.Filter(run, v, a) : new JinjaMarkup(Json.HtmlSafe(run, v, a)), "tojson");
        Add("trim", "chars=", (_, v, a) => PythonText.Strip(Python.Str(v), a.Get(0, "chars", null) as string, left: true, right: true));
        Add("truncate", "length= killwords= end= leeway=", (_, v, a) => TextFilters.Truncate(v, a));
        Add("urlencode", "", (run, v, _) => run.Made(TextFilters.UrlEncode(v)));
        Add("wordcount", "", (_, v, _) => TextFilters.Words(Python.Str(v)));
        Add("wordwrap", "width= break_long_words= wrapstring= break_on_hyphens=", (run, v, a) => v is Undefined u ? throw u.Fail()
            : v is string text ? WordWrap.Apply(run, text, a)
            : throw new JinjaError($"'{Python.TypeName(v)}' object has no attribute 'splitlines'"));
        Add("xmlattr", "autospace=", (run, v, a) => run.Captured(MarkupFilters.Attributes(run, v, a.Flag(0, "autospace", true))));
        all.Add("format", (run, v, a) => PercentFormat.Apply(Python.Str(v), a.Named.Count == 0 ? new JinjaTuple(a.Positional)

                : a.Positional.Count == 0
                ? JinjaDict.Of(a.Named) : throw new JinjaError("can't handle positional and keyword arguments at the same time"), run));
        foreach (var (name, parameters, body) in SequenceFilters.Table)
        {
            if (parameters is null) all.Add(name, body);
            else Add(name, parameters, body, name is "join" or "list" or "sum" or "slice" or "first" or "groupby" ? $"sync_do_{name}" : null);
        }
        return all;
    }
}
