using System.Text;

namespace Quilt.Formats.Chat.Jinja;

/// <summary>Jinja's filters on sequences and mappings.</summary>
internal static class SequenceFilters
{
    public static readonly Dictionary<string, Func<Run, object?, Arguments, object?>> All = new(StringComparer.Ordinal)
    {
        ["batch"] = (run, v, a) => new JinjaGenerator([.. Batch(Python.Iterate(v), (int)Math.Clamp(a.Whole(0, "linecount", 1), 1, 1 << 20), a)]),
        ["dictsort"] = DictSort,
        ["first"] = (run, v, a) => Python.Iterate(v) is { Count: > 0 } items ? items[0] : new Undefined("No first item, sequence was empty."),
        ["groupby"] = GroupBy,
        ["join"] = Join,
        ["last"] = (run, v, a) => v is JinjaGenerator ? throw new JinjaError("'generator' object is not reversible") : Python.Iterate(v) is { Count: > 0 } items ? items[^1] : new Undefined("No last item, sequence was empty."),
        ["list"] = (run, v, a) => new JinjaList(Spent(run, Python.Iterate(v))),
        ["map"] = Map,
        ["max"] = (run, v, a) => Extreme(run, v, a, 1),
        ["min"] = (run, v, a) => Extreme(run, v, a, -1),
        ["reject"] = (run, v, a) => Select(run, v, a, keep: false, byAttribute: false),
        ["rejectattr"] = (run, v, a) => Select(run, v, a, keep: false, byAttribute: true),
        ["select"] = (run, v, a) => Select(run, v, a, keep: true, byAttribute: false),
        ["selectattr"] = (run, v, a) => Select(run, v, a, keep: true, byAttribute: true),
        ["reverse"] = (run, v, a) => v is string text ? string.Concat(PythonText.Characters(text).Reverse()) : new JinjaGenerator([.. Python.Iterate(v).Reverse()]),
        ["slice"] = (run, v, a) => new JinjaGenerator([.. Columns(Python.Iterate(v), (int)Math.Clamp(a.Whole(0, "slices", 1), 1, 1 << 20), a)]),
        ["sort"] = Sort,
        ["sum"] = Sum,
        ["unique"] = Unique,
    };

    private static IReadOnlyList<object?> Spent(Run run, IReadOnlyList<object?> items)
    {
        run.Spend(16L * items.Count);
        return items;
    }

    // What is false has no elements, even where it is None.
    private static IReadOnlyList<object?> Chosen(Run run, object? value) => Python.IsTrue(value) ? Spent(run, Python.Iterate(value)) : [];

    /// <summary>The value behind "a.b.0", or the item itself where there is no attribute.</summary>
    private static Func<object?, object?> Getter(object? attribute, object? otherwise = null, bool hasDefault = false, bool ignoreCase = false)
    {
        var parts = attribute switch
        {
            null => [],
            string text => [.. text.Split('.').Select(part => long.TryParse(part, out var index) ? (object?)index : part)],
            _ => new object?[] { attribute },
        };
        return item =>
        {
            foreach (var part in parts)
            {
                item = Members.Item(item, part);
                if (item is Undefined && hasDefault) item = otherwise;
            }
            return ignoreCase && item is string text ? text.ToLowerInvariant() : item;
        };
    }

    private static JinjaList DictSort(Run run, object? value, Arguments a)
    {
        if (value is not JinjaDict dict) throw new JinjaError($"'{Python.TypeName(value)}' object has no attribute 'items'");
        a.AtMost(3, "case_sensitive", "by", "reverse");
        var (sensitive, by, reverse) = (a.Flag(0, "case_sensitive", false), a.Text(1, "by", "key"), a.Flag(2, "reverse", false));
        if (by is not ("key" or "value")) throw new JinjaError("You can only sort by either \"key\" or \"value\"");
        var get = Getter(by == "key" ? 0L : 1L, ignoreCase: !sensitive);
        return new JinjaList(Sorted(run, [.. dict.Entries.Select(p => (object?)new JinjaTuple([p.Key, p.Value]))], get, reverse));
    }

    private static JinjaList Sort(Run run, object? value, Arguments a)
    {
        a.AtMost(3, "reverse", "case_sensitive", "attribute");
        var attribute = a.Get(2, "attribute", null);
        var sensitive = a.Flag(1, "case_sensitive", false);
        Func<object?, object?> get = attribute is string several && several.Contains(',')
            ? item => new JinjaTuple([.. several.Split(',').Select(one => Getter(one.Trim(), ignoreCase: !sensitive)(item))])
            : Getter(attribute, ignoreCase: !sensitive);
        return new JinjaList(Sorted(run, Python.Iterate(value), get, a.Flag(0, "reverse", false)));
    }

    // Stable both ways, as Python's.
    private static object?[] Sorted(Run run, IReadOnlyList<object?> items, Func<object?, object?> get, bool reverse)
    {
        run.Spend(64L * items.Count);
        var keyed = items.Select(item => (Key: get(item), Item: item));
        var comparer = Comparer<object?>.Create((x, y) => Python.Compare(x, y, "<"));
        try
        {
            return [.. (reverse ? keyed.OrderByDescending(p => p.Key, comparer) : keyed.OrderBy(p => p.Key, comparer)).Select(p => p.Item)];
        }
        catch (InvalidOperationException e) when (e.InnerException is JinjaError error)
        {
            throw error;
        }
    }

    private static JinjaList GroupBy(Run run, object? value, Arguments a)
    {
        var get = Getter(a.Need(0, "attribute"), a.Get(1, "default", null), a.TryGet(1, "default", out _), ignoreCase: !a.Flag(2, "case_sensitive", false));
        var groups = new List<object?>();
        object? key = null;
        List<object?>? members = null;
        foreach (var item in Sorted(run, Python.Iterate(value), get, reverse: false))
        {
            var its = get(item);
            if (members is null || !Python.AreEqual(key, its))
            {
                key = its;
                members = [];
                groups.Add(new JinjaTuple([its, new JinjaList(members)]));
            }
            members.Add(item);
        }
        return new JinjaList(groups);
    }

    private static string Join(Run run, object? value, Arguments a)
    {
        a.AtMost(2, "d", "attribute");
        var separator = a.Text(0, "d", "");
        var get = Getter(a.Get(1, "attribute", null));
        var text = new StringBuilder();
        var first = true;
        foreach (var item in Python.Iterate(value))
        {
            if (!first) text.Append(separator);
            text.Append(Python.Str(get(item)));
            first = false;
            if (text.Length > Run.MaxText) break;
        }
        run.SpendText(text.Length);
        return text.ToString();
    }

    private static JinjaGenerator Map(Run run, object? value, Arguments a)
    {
        var items = Chosen(run, value);
        if (a.Positional.Count == 0)
        {
            if (!a.TryGet(-1, "attribute", out var attribute)) throw new JinjaError("map requires a filter argument");
            var get = Getter(attribute, a.Get(-1, "default", null), a.TryGet(-1, "default", out _));
            return new JinjaGenerator([.. items.Select(get)]);
        }
        var name = Python.Str(a.Positional[0]);
        var filter = Filters.Find(name) ?? throw new JinjaError($"No filter named '{name}'.");
        return new JinjaGenerator([.. items.Select(item => filter(run, item, new Arguments(name, a.Positional[1..], a.Named)))]);
    }

    private static JinjaGenerator Select(Run run, object? value, Arguments a, bool keep, bool byAttribute)
    {
        var items = Chosen(run, value);
        var get = byAttribute ? Getter(a.Need(0, "attribute")) : item => item;
        var rest = a.Positional.Skip(byAttribute ? 1 : 0).ToList();
        if (rest.Count == 0) return new JinjaGenerator([.. items.Where(item => Python.IsTrue(get(item)) == keep)]);
        var name = Python.Str(rest[0]);
        var test = Predicates.Find(name) ?? throw new JinjaError($"No test named '{name}'.");
        var arguments = new Arguments(name, rest[1..], a.Named);
        return new JinjaGenerator([.. items.Where(item => test(run, get(item), arguments) == keep)]);
    }

    private static object? Extreme(Run run, object? value, Arguments a, int sign)
    {
        var items = Spent(run, Python.Iterate(value));
        if (items.Count == 0) return new Undefined("No aggregated item, sequence was empty.");
        var get = Getter(a.Get(1, "attribute", null), ignoreCase: !a.Flag(0, "case_sensitive", false));
        var best = items[0];
        for (var i = 1; i < items.Count; i++)
        {
            if (Python.Compare(get(items[i]), get(best), sign > 0 ? ">" : "<") * sign > 0) best = items[i];
        }
        return best;
    }

    private static object? Sum(Run run, object? value, Arguments a)
    {
        var get = Getter(a.Get(0, "attribute", null));
        var total = a.Get(1, "start", 0L);
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

    private static IEnumerable<object?> Batch(IReadOnlyList<object?> items, int size, Arguments a)
    {
        for (var i = 0; i < items.Count; i += size)
        {
            var batch = items.Skip(i).Take(size).ToList();
            if (a.TryGet(1, "fill_with", out var fill) && fill is not null) while (batch.Count < Math.Min(size, 100_000)) batch.Add(fill);
            yield return new JinjaList(batch);
        }
    }

    private static IEnumerable<object?> Columns(IReadOnlyList<object?> items, int columns, Arguments a)
    {
        var (size, extra) = (items.Count / columns, items.Count % columns);
        var at = 0;
        for (var c = 0; c < columns; c++)
        {
            var column = items.Skip(at).Take(size + (c < extra ? 1 : 0)).ToList();
            at += column.Count;
            if (c >= extra && extra > 0 && a.TryGet(1, "fill_with", out var fill) && fill is not null) column.Add(fill);
            yield return new JinjaList(column);
        }
    }
}
