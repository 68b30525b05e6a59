namespace Quilt.Formats.Chat.Jinja;

/// <summary>Methods of dicts.</summary>
internal static class DictMethods
{
    public static object? Find(JinjaDict dict, string name) => name switch
    {
        "items" => new Callable(name, (_, a) => Done(name, a, new JinjaView("dict_items", dict.Pairs()))),
        "keys" => new Callable(name, (_, a) => Done(name, a, new JinjaView("dict_keys", [.. dict.Entries.Select(p => p.Key)]))),
        "values" => new Callable(name, (_, a) => Done(name, a, new JinjaView("dict_values", [.. dict.Entries.Select(p => p.Value)]))),
        "get" => new Callable(name, (_, a) => Get(dict, a)),
        "copy" => new Callable(name, (_, a) => Done(name, a, dict)),
        _ => null,
    };

    private static object? Get(JinjaDict dict, Arguments a)
    {
        if (a.Named.Count > 0) throw new JinjaError("dict.get() takes no keyword arguments");
        if (a.Positional.Count == 0) throw new JinjaError("get expected at least 1 argument, got 0");
        if (a.Positional.Count > 2) throw new JinjaError($"get expected at most 2 arguments, got {a.Positional.Count}");
        return a.Positional[0] is not Undefined && dict.TryGet(a.Positional[0], out var value) ? value : a.Get(1, "default", null);
    }

    private static object? Done(string name, Arguments arguments, object? value)
    {
        if (arguments.Positional.Count + arguments.Named.Count > 0) throw new JinjaError($"dict.{name}() takes no arguments ({arguments.Positional.Count + arguments.Named.Count} given)");
        return value;
    }
}

/// <summary>Methods of lists, tuples and ranges that change nothing.</summary>
internal static class ListMethods
{
    public static object? Find(object? value, string name) => name switch
    {
        "index" => new Callable(name, (_, a) =>
        {
            var (items, wanted) = (Python.Iterate(value), a.Need(0, "value"));
            for (var i = 0; i < items.Count; i++)
            {
                if (Python.AreEqual(items[i], wanted)) return (long)i;
            }
            throw new JinjaError(value is JinjaTuple ? "tuple.index(x): x not in tuple" : $"{Python.Repr(wanted)} is not in {Python.TypeName(value)}");
        }),
        "count" => new Callable(name, (_, a) => (long)Python.Iterate(value).Count(item => Python.AreEqual(item, a.Need(0, "value")))),
        "copy" when value is JinjaList => new Callable(name, (_, _) => value),
        _ => null,
    };
}
