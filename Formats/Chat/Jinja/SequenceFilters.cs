namespace Quilt.Formats.Chat.Jinja;

/// <summary>Jinja's filters on sequences and mappings.</summary>
internal static class SequenceFilters
{
    /// <summary>Names, parameters (null where the filter reads its arguments itself) and bodies.</summary>
    public static readonly (string Name, string? Parameters, Func<Run, object?, Arguments, object?> Body)[] Table =
    [
        ("batch", "linecount fill_with=", Batch),
        ("dictsort", "case_sensitive= by= reverse=", DictSort),
        ("first", "", (_, v, _) => v is string { Length: > 0 } text ? PythonText.CharacterAt(text, 0)
            : Python.Iterate(v) is { Count: > 0 } items ? items[0]
            : new Undefined("No first item, sequence was empty.")),
        ("groupby", "attribute default= case_sensitive=", GroupBy),
        ("join", "d= attribute=", Join),
        ("last", "", (_, v, _) => Reversible(v) is { Count: > 0 } items ? items[^1] : new Undefined("No last item, sequence was empty.")),
        ("list", "", (run, v, _) => new JinjaList(Spent(run, Python.Iterate(v)))),
        ("map", null, Selection.Map),
        ("max", "case_sensitive= attribute=", (run, v, a) => Extreme(run, v, a, 1)),
        ("min", "case_sensitive= attribute=", (run, v, a) => Extreme(run, v, a, -1)),
        ("reject", null, (run, v, a) => Selection.Select(run, v, a, keep: false, byAttribute: false)),
        ("rejectattr", null, (run, v, a) => Selection.Select(run, v, a, keep: false, byAttribute: true)),
        ("select", null, (run, v, a) => Selection.Select(run, v, a, keep: true, byAttribute: false)),
        ("selectattr", null, (run, v, a) => Selection.Select(run, v, a, keep: true, byAttribute: true)),
        ("reverse", "", Reverse),
        ("slice", "slices fill_with=", Slice),
        ("sort", "reverse= case_sensitive= attribute=", Sort),
        ("sum", "attribute= start=", Sum),
        ("unique", "case_sensitive= attribute=", Unique),
    ];

    public static IReadOnlyList<object?> Spent(Run run, IReadOnlyList<object?> items)
    {
        run.Spend(16L * items.Count);
        return items;
    }

    /// <summary>The value behind "a.b.0", or the item itself where there is no attribute.</summary>
    public static Func<object?, object?> Getter(object? attribute, object? otherwise = null, bool hasDefault = false, bool ignoreCase = false)
    {
        var parts = attribute switch
        {
            null => [],
            string text =>
                [.. text.Split('.').Select(part => long.TryParse(part, System.Globalization.NumberStyles.None, null, out var index)
                    ? (object?)index
                    : part)],
            _ => new object?[] { attribute },
        };
        return item =>
        {
            foreach (var part in parts)
            {
                item = Members.Item(item, part);
                if (item is Undefined && hasDefault) item = otherwise;
            }
            return ignoreCase && item is string text ? StringCase.Lower(text) : item;
        };
    }

    private static IReadOnlyList<object?> Reversible(object? value) =>
        value is JinjaGenerator or null or bool or long or double or System.Numerics.BigInteger or JinjaNamespace or Callable
        ? throw new JinjaError($"'{Python.TypeName(value)}' object is not reversible") : Python.Iterate(value);

    private static object Reverse(Run run, object? value, Arguments a)
    {
        if (value is string text) return string.Concat(PythonText.Characters(text).Reverse());
        if (value is null or bool or long or double or System.Numerics.BigInteger or JinjaNamespace or Callable)
            throw new JinjaError("argument must be iterable");
        return new JinjaGenerator([.. Spent(run, Python.Iterate(value)).Reverse()]);
    }

    private static JinjaList DictSort(Run run, object? value, Arguments a)
    {
        var (sensitive, by, reverse) = (a.Flag(0, "case_sensitive", false), a.Text(1, "by", "key"), a.Flag(2, "reverse", false));
        if (by is not ("key" or "value")) throw new JinjaError("You can only sort by either \"key\" or \"value\"");
        if (value is Undefined u) throw u.Fail();
        if (value is not JinjaDict dict) throw new JinjaError($"'{Python.TypeName(value)}' object has no attribute 'items'");
        var get = Getter(by == "key" ? 0L : 1L, ignoreCase: !sensitive);
        return new JinjaList([.. Sorting.Stable(Spent(run, dict.Pairs()), get, reverse)]);
    }

    private static JinjaList Sort(Run run, object? value, Arguments a)
    {
        var sensitive = a.Flag(1, "case_sensitive", false);
        var attribute = a.Get(2, "attribute", null);
        var items = Python.Iterate(value);
        run.Spend(64L * items.Count);
        var reverse = a.Flag(0, "reverse", false);
        if (attribute is not string several || !several.Contains(',', StringComparison.Ordinal))
            return new JinjaList([.. Sorting.Stable(items, Getter(attribute, ignoreCase: !sensitive), reverse, missingAreEqual: true)]);
        var parts = several.Split(',').Select(one => Getter(one, ignoreCase: !sensitive)).ToList();
        return new JinjaList([.. Sorting.Stable(items, item => new JinjaList([.. parts.Select(part => part(item))]), reverse)]);
    }

    private static JinjaList GroupBy(Run run, object? value, Arguments a)
    {
        var (attribute, otherwise, hasDefault) = (a.Need(0, "attribute"), a.Get(1, "default", null), a.Get(1, "default", null) is not null);
        var get = Getter(attribute, otherwise, hasDefault, ignoreCase: !a.Flag(2, "case_sensitive", false));
        var name = Getter(attribute, otherwise, hasDefault);
        var groups = new List<object?>();
        object? key = null;
        List<object?>? members = null;
        foreach (var item in Sorting.Stable(Spent(run, Python.Iterate(value)), get, reverse: false))
        {
            var its = get(item);
            if (members is null || !Python.AreEqual(key, its))
            {
                key = its;
                members = [];
                groups.Add(new JinjaTuple([name(item), new JinjaList(members)], "grouper", "list"));
            }
            members.Add(item);
        }
        return new JinjaList(groups);
    }

    private static object Join(Run run, object? value, Arguments a)
    {
        var get = Getter(a.Get(1, "attribute", null));
        return JinjaMarkup.Join([.. Python.Iterate(value).Select(get)], a.Get(0, "d", null) ?? "", run);
    }

    private static object? Extreme(Run run, object? value, Arguments a, int sign)
    {
        var items = Spent(run, Python.Iterate(value));
        if (items.Count == 0) return new Undefined("No aggregated item, sequence was empty.");
        var get = Getter(a.Get(1, "attribute", null), ignoreCase: !a.Flag(0, "case_sensitive", false));
        var (best, bestKey) = (items[0], get(items[0]));
        for (var i = 1; i < items.Count; i++)
        {
            var key = get(items[i]);
            if (Python.Compare(key, bestKey, sign > 0 ? ">" : "<") * sign > 0) (best, bestKey) = (items[i], key);
        }
        return best;
    }

    private static object? Sum(Run run, object? value, Arguments a)
    {
        var get = Getter(a.Get(0, "attribute", null));
        var total = a.Get(1, "start", 0L);
        if (total is string) throw new JinjaError("sum() can't sum strings [use ''.join(seq) instead]");
        foreach (var item in Spent(run, Python.Iterate(value))) total = Operators.Apply("+", total, get(item), run);
        return total;
    }

    private static JinjaGenerator Unique(Run run, object? value, Arguments a)
    {
        var get = Getter(a.Get(1, "attribute", null), ignoreCase: !a.Flag(0, "case_sensitive", false));
        var seen = new JinjaDict();
        var kept = new List<object?>();
        foreach (var item in Spent(run, Python.Iterate(value)))
        {
            var key = get(item);
            if (seen.TryGet(key, out _)) continue;
            seen.Set(key, null);
            kept.Add(item);
        }
        return new JinjaGenerator(kept);
    }

    private static JinjaGenerator Batch(Run run, object? value, Arguments a)
    {
        var (items, size, fill) = (Spent(run, Python.Iterate(value)), a.Whole(0, "linecount", 0), a.Get(1, "fill_with", null));
        var batches = new List<object?>();
        var batch = new List<object?>();
        foreach (var item in items)
        {
            // Compared before the item is added, as Jinja does it: a size below 1 gives one empty batch and one with everything.
            if (batch.Count == size)
            {
                batches.Add(new JinjaList(batch));
                batch = [];
            }
            batch.Add(item);
        }
        if (batch.Count == 0) return new JinjaGenerator(batches);
        if (fill is not null && batch.Count < size)
        {
            run.SpendText(16 * size);
            while (batch.Count < size) batch.Add(fill);
        }
        batches.Add(new JinjaList(batch));
        return new JinjaGenerator(batches);
    }

    private static JinjaGenerator Slice(Run run, object? value, Arguments a)
    {
        var (items, slices, fill) = (Spent(run, Python.Iterate(value)), a.Whole(0, "slices", 0), a.Get(1, "fill_with", null));
        if (slices == 0) throw new JinjaError("integer division or modulo by zero");
        run.SpendText(16 * Math.Max(0, slices));
        var (size, extra) = ((int)(items.Count / slices), (int)(items.Count % slices));
        var columns = new List<object?>();
        var at = 0;
        for (var c = 0; c < slices; c++)
        {
            var column = items.Skip(at).Take(size + (c < extra ? 1 : 0)).ToList();
            at += column.Count;
            if (fill is not null && c >= extra) column.Add(fill);
            columns.Add(new JinjaList(column));
        }
        return new JinjaGenerator(columns);
    }
}
