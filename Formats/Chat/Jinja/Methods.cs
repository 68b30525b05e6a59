namespace Quilt.Formats.Chat.Jinja;

/// <summary>Methods of dicts.</summary>
internal static class DictMethods
{
    public static object? Find(JinjaDict dict, string name) => name switch
    {
        "items" => new Callable(name, (_, a) => Done(a, new JinjaList([.. dict.Entries.Select(p => (object?)new JinjaTuple([p.Key, p.Value]))]))),
        "keys" => new Callable(name, (_, a) => Done(a, new JinjaList([.. dict.Entries.Select(p => p.Key)]))),
        "values" => new Callable(name, (_, a) => Done(a, new JinjaList([.. dict.Entries.Select(p => p.Value)]))),
        "get" => new Callable(name, (_, a) => dict.TryGet(a.AtMost(2).Need(0, "key"), out var value) ? value : a.Get(1, "default", null)),
        "copy" => new Callable(name, (_, a) => Done(a, dict)),
        _ => null,
    };

    private static object? Done(Arguments arguments, object? value)
    {
        arguments.AtMost(0);
        return value;
    }
}

/// <summary>Methods of lists and tuples that change nothing.</summary>
internal static class ListMethods
{
    public static object? Find(object? value, string name) => name switch
    {
        "index" => new Callable(name, (_, a) =>
        {
            var at = Python.Iterate(value).ToList().FindIndex(item => Python.AreEqual(item, a.Need(0, "value")));
            return at >= 0 ? (long)at : throw new JinjaError($"{Python.Repr(a.Need(0, "value"))} is not in {Python.TypeName(value)}");
        }),
        "count" => new Callable(name, (_, a) => (long)Python.Iterate(value).Count(item => Python.AreEqual(item, a.Need(0, "value")))),
        "copy" when value is JinjaList => new Callable(name, (_, a) => value),
        _ => null,
    };
}
