namespace Quilt.Formats.Chat.Jinja;

/// <summary>Methods of dicts.</summary>
internal static class DictMethods
{
    public static object? Find(JinjaDict dict, string name) => name switch
    {
        "items" => new Callable(name, (run, a) => Done(run, name, a, dict, "dict_items")),
        "keys" => new Callable(name, (run, a) => Done(run, name, a, dict, "dict_keys")),
        "values" => new Callable(name, (run, a) => Done(run, name, a, dict, "dict_values")),
        "get" => new Callable(name, (_, a) => Get(dict, a)),
        "copy" => new Callable(name, (run, a) => Done(run, name, a, dict, null)),
        _ => null,
    };

    private static object? Get(JinjaDict dict, Arguments a)
    {
        if (a.Named.Count > 0) throw new JinjaError("dict.get() takes no keyword arguments");
        if (a.Positional.Count == 0) throw new JinjaError("get expected at least 1 argument, got 0");
        if (a.Positional.Count > 2) throw new JinjaError($"get expected at most 2 arguments, got {a.Positional.Count}");
        return a.Positional[0] is not Undefined && dict.TryGet(a.Positional[0], out var value) ? value : a.Get(1, "default", null);
    }

    private static object Done(Run run, string name, Arguments arguments, JinjaDict dict, string? view)
    {
        if (arguments.Positional.Count + arguments.Named.Count > 0)
            throw new JinjaError($"dict.{name}() takes no arguments ({arguments.Positional.Count + arguments.Named.Count} given)");
        run.SpendOn(dict);
        return view switch
        {
            null => dict,
            "dict_items" => new JinjaView(view, dict.Pairs()),
            "dict_keys" => new JinjaView(view, [.. dict.Entries.Select(p => p.Key)]),
            _ => new JinjaView(view, [.. dict.Entries.Select(p => p.Value)]),
        };
    }
}

/// <summary>Methods of lists, tuples and ranges that change nothing.</summary>
internal static class ListMethods
{
    public static object? Find(object? value, string name) => name switch
    {
        "index" => new Callable(name, (run, a) =>
        {
            run.SpendOn(value);
            var (items, wanted) = (Python.Iterate(value), a.Need(0, "value"));
            for (var i = 0; i < items.Count; i++)
            {
                if (Python.AreEqual(items[i], wanted)) return (long)i;
            }
            throw new JinjaError(value is JinjaTuple
                ? "tuple.index(x): x not in tuple"
                : $"{Python.Repr(wanted)} is not in {Python.TypeName(value)}");
        }),
        "count" => new Callable(name, (run, a) =>
        {
            run.SpendOn(value);
            var wanted = a.Need(0, "value");
            return (long)Python.Iterate(value).Count(item => Python.AreEqual(item, wanted));
        }),
        "copy" when value is JinjaList => new Callable(name, (_, _) => value),
        _ => null,
    };
}
