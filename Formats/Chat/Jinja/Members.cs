namespace Quilt.Formats.Chat.Jinja;

/// <summary>a.b and a[b], as Jinja resolves them: an attribute first and then an item, or the other way round.</summary>
internal static class Members
{
    // What changes lists and dicts is there, but the sandbox lets nobody call it.
    private static readonly HashSet<string> ChangesLists =
        new(StringComparer.Ordinal) { "append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort" };
    private static readonly HashSet<string> ChangesDicts = new(StringComparer.Ordinal) { "clear", "pop", "popitem", "setdefault", "update" };

    /// <summary>a.b</summary>
    public static object? Attribute(object? value, string name)
    {
        if (Own(value, name, out var found)) return found;
        return value is JinjaDict dict && dict.TryGet(name, out var item) ? item
            : IsUnsafe(value, name) ? Unsafe(value, name)
            : Undefined.Member(value, name);
    }

    /// <summary>The filter attr: an attribute, never an item.</summary>
    public static object? OwnAttribute(object? value, string name) =>
        Own(value, name, out var found) ? found : IsUnsafe(value, name) ? Unsafe(value, name) : Undefined.Member(value, name);

    /// <summary>a[b]</summary>
    public static object? Item(object? value, object? index)
    {
        switch (value)
        {
            case Undefined u: throw u.Fail();
            case JinjaDict dict when index is not (Undefined or JinjaList or JinjaDict or JinjaView) && dict.TryGet(index, out var found):
                return found;
            case string or JinjaList or JinjaTuple or JinjaRange when index is long or bool:
                var at = Python.Index(index);
                if (at < 0 || value is string) at = At(at, value);
                var length = value is string s ? s.Length : Python.Length(value);
                if (at < 0 || at >= length) return Undefined.Member(value, index);
                return value switch
                {
                    string text => PythonText.CharacterAt(text, (int)at),
                    JinjaList list => list.Items[(int)at],
                    JinjaTuple tuple => tuple.Items[(int)at],
                    _ => ((JinjaRange)value)[(int)at],
                };
        }
        return index is string name
            ? Own(value, name, out var own) ? own : IsUnsafe(value, name) ? Unsafe(value, name) : Undefined.Member(value, name)
            : Undefined.Member(value, index);
    }

    // Negative places count from the end; those in a text are counted in code points and turned into UTF-16 places.
    private static long At(long at, object? value)
    {
        if (at < 0) at += Python.Length(value);
        if (value is not string text || at < 0) return at;
        if (at >= text.Length) return text.Length;
        return PythonText.Offset(text, (int)at);
    }

    /// <summary>What getattr would find: methods, and the attributes of namespaces, loops and macros.</summary>
    private static bool Own(object? value, string name, out object? found)
    {
        found = value switch
        {
            Undefined u when name.StartsWith("__", StringComparison.Ordinal) => null,
            Undefined u => throw u.Fail(),
            _ when name.StartsWith('_') => null,
            string text => StringMethods.Find(text, name),
            JinjaDict dict => DictMethods.Find(dict, name),
            JinjaTuple tuple when tuple.TryGet(name, out var element) => new Holder(element),
            JinjaList or JinjaTuple or JinjaRange => ListMethods.Find(value, name),
            JinjaNamespace space => space.Attributes.TryGetValue(name, out var its) ? new Holder(its) : null,
            LoopState loop => loop.Find(name),
            Callable { Attributes: { } attributes } => attributes.TryGetValue(name, out var attribute) ? new Holder(attribute) : null,
            _ => null,
        };
        if (found is null) return false;
        if (found is Holder holder) found = holder.Value;
        return true;
    }

    private static bool IsUnsafe(object? value, string name) => name.StartsWith("__", StringComparison.Ordinal)
        || (value is JinjaList && ChangesLists.Contains(name)) || (value is JinjaDict && ChangesDicts.Contains(name));

    private static Undefined Unsafe(object? value, string name) =>
        new($"access to attribute '{name}' of '{Python.TypeName(value)}' object is unsafe.");

    /// <summary>A value that may be None, found all the same.</summary>
    internal sealed record Holder(object? Value);
}
