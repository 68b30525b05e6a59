namespace Quilt.Formats.Chat.Jinja;

/// <summary>a[start:stop:step], by code points where a is a text.</summary>
internal static class Slicing
{
    public static object? Slice(object? value, object? start, object? stop, object? step, Run run)
    {
        switch (value)
        {
            case Undefined u: throw u.Fail();
            case JinjaDict: throw new JinjaError("unhashable type: 'slice'");
            case not (string or JinjaList or JinjaTuple or JinjaRange): throw new JinjaError(
                $"'{Python.TypeName(value)}' object is not subscriptable");
        }
        if (value is string all) run.Spend(all.Length);
        var by = Place(step) ?? 1;
        if (by == 0) throw new JinjaError("slice step cannot be zero");
        var length = (int)Python.Length(value);
        var from = Bound(Place(start), by > 0 ? 0 : length - 1, length, by);
        var to = Bound(Place(stop), by > 0 ? length : -1, length, by);
        if (value is JinjaRange range) return range.Slice(from, to, by);
        if (value is string whole && by == 1)
            return run.Made(whole.Length == length && from < to ? whole[(int)from..(int)to] : PythonText.Part(whole, from, to));

        var items = value is string text ? (IReadOnlyList<object?>)[.. PythonText.Characters(text)] : Python.Iterate(value);
        var taken = new List<object?>();
        for (var i = from; by > 0 ? i < to : i > to;)
        {
            taken.Add(items[(int)i]);
            if (by > length || by < -length) break;
            i += by;
        }
        run.Spend(16L * taken.Count);
        return value switch
        {
            string => string.Concat(taken),
            JinjaTuple => new JinjaTuple(taken),
            _ => new JinjaList(taken),
        };
    }

    private static long? Place(object? given) => given switch
    {
        null => null,
        long or bool or System.Numerics.BigInteger => Python.Index(given),
        _ => throw new JinjaError("slice indices must be integers or None or have an __index__ method"),
    };

    private static long Bound(long? given, long otherwise, int length, long step)
    {
        if (given is not { } at) return otherwise;
        if (at < 0) at = at < -length ? (step > 0 ? 0 : -1) : at + length;
        return at >= length ? (step > 0 ? length : length - 1) : at;
    }
}
