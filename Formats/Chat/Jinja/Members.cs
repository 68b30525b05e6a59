namespace Quilt.Formats.Chat.Jinja;

/// <summary>a.b, a[b] and a[b:c:d], as Jinja resolves them: an attribute first and then an item, or the other way round.</summary>
internal static class Members
{
    private static readonly HashSet<string> Mutating = new(StringComparer.Ordinal)
    {
        "append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort", "setdefault", "update", "popitem",
    };

    public static object? Attribute(object? value, string name)
    {
        if (Method(value, name, out var method)) return method;
        return value is JinjaDict dict && dict.TryGet(name, out var item) ? item : Undefined.Member(value, name);
    }

    public static object? Item(object? value, object? index)
    {
        if (value is Undefined u) throw u.Fail();
        if (index is Undefined missing && value is not JinjaDict) throw missing.Fail();
        switch (value)
        {
            case JinjaDict dict when dict.TryGet(index is Undefined ? null : index, out var found) && index is not Undefined: return found;
            case string or JinjaList or JinjaTuple or JinjaRange when index is long or bool:
                var at = Python.Index(index);
                var length = Python.Length(value);
                if (at < 0) at += length;
                if (at < 0 || at >= length) return Undefined.Member(value, index);
                return value switch
                {
                    string text => CharacterAt(text, (int)at),
                    JinjaList list => list.Items[(int)at],
                    JinjaTuple tuple => tuple.Items[(int)at],
                    _ => ((JinjaRange)value)[(int)at],
                };
        }
        return index is string name && Method(value, name, out var method) ? method : Undefined.Member(value, index);
    }

    public static object? Slice(object? value, object? start, object? stop, object? step, Run run)
    {
        if (value is Undefined u) throw u.Fail();
        if (value is not (string or JinjaList or JinjaTuple or JinjaRange)) return Undefined.Member(value, null);
        var by = step is null ? 1 : Python.Index(step);
        if (by == 0) throw new JinjaError("slice step cannot be zero");
        var items = value is string text ? (IReadOnlyList<object?>)[.. PythonText.Characters(text)] : Python.Iterate(value);
        var length = items.Count;
        var from = Bound(start, by > 0 ? 0 : length - 1, length, by);
        var to = Bound(stop, by > 0 ? length : -1, length, by);
        var taken = new List<object?>();
        for (var i = from; by > 0 ? i < to : i > to; i += by) taken.Add(items[(int)i]);
        run.Spend(16L * taken.Count);
        return value switch
        {
            string => string.Concat(taken),
            JinjaTuple => new JinjaTuple(taken),
            _ => new JinjaList(taken),
        };
    }

    /// <summary>What getattr would find: methods, and the attributes of namespaces and loops. Names with underscores in front are out of bounds.</summary>
    private static bool Method(object? value, string name, out object? found)
    {
        if (name.StartsWith("__", StringComparison.Ordinal) && value is not JinjaDict) throw new JinjaError($"access to attribute '{name}' of '{Python.TypeName(value)}' object is unsafe.");
        found = value switch
        {
            Undefined u => throw u.Fail(),
            string text => StringMethods.Find(text, name),
            JinjaDict dict => DictMethods.Find(dict, name),
            JinjaList or JinjaTuple => ListMethods.Find(value, name),
            JinjaNamespace space => space.Attributes.TryGetValue(name, out var its) ? new Holder(its) : null,
            LoopState loop => loop.Find(name),
            Callable { Attributes: { } attributes } => attributes.TryGetValue(name, out var attribute) ? new Holder(attribute) : null,
            _ => null,
        };
        if (found is null && value is JinjaList or JinjaDict && Mutating.Contains(name) && !(value is JinjaDict d && d.TryGet(name, out _)) && (value is JinjaList || name is not ("append" or "extend" or "insert" or "remove" or "reverse" or "sort")))
            throw new JinjaError($"access to attribute '{name}' of '{Python.TypeName(value)}' object is unsafe.");
        if (found is null) return false;
        if (found is Holder holder) found = holder.Value;
        return true;
    }

    /// <summary>A value that may be None, found all the same.</summary>
    internal sealed record Holder(object? Value);

    private static string CharacterAt(string text, int index) => PythonText.Length(text) == text.Length ? text[index].ToString() : PythonText.Characters(text).ElementAt(index);

    private static long Bound(object? given, long otherwise, int length, long step)
    {
        if (given is null) return otherwise;
        if (given is Undefined u) throw u.Fail();
        if (given is not (long or bool or System.Numerics.BigInteger)) throw new JinjaError("slice indices must be integers or None or have an __index__ method");
        var at = Python.Index(given);
        if (at < 0) at = at < -length ? (step > 0 ? 0 : -1) : at + length;
        return at >= length ? (step > 0 ? length : length - 1) : at;
    }
}
