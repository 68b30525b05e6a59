namespace Quilt.Formats.Chat.Jinja;

// What a template can hold: null (None), bool, long, BigInteger (beyond long), double, string, and the types below. Nothing of .NET can be reached
// from them.

/// <summary>
/// A name or attribute that is not there: prints as nothing, is false and empty, and fails when more is asked of it; in a strict rendering it fails
/// there already, unless it is the lenient kind.
/// </summary>
internal sealed class Undefined(string problem, bool isLenient = false)
{
    public string Problem { get; } = problem;

    public static Undefined Name(string name) => new($"'{name}' is undefined");

    public static Undefined Member(object? value, object? name) => new(name is string text
        ? $"'{Python.TypeForAttribute(value)}' has no attribute '{text}'"
        : $"{Python.TypeForAttribute(value)} has no element {Python.Repr(name)}");

    public JinjaError Fail() => new(Problem);

    /// <summary>Where what is not there passes for nothing: the nothing, or the failure of a strict rendering.</summary>
    public T As<T>(T nothing) => Run.IsStrict && !isLenient ? throw Fail() : nothing;
}

/// <summary>A list. Templates cannot change one: the environment is the immutable sandbox.</summary>
internal sealed class JinjaList(IReadOnlyList<object?> items)
{
    public IReadOnlyList<object?> Items { get; } = items;
}

/// <summary>A tuple; its elements may have names besides, as those of groupby's groups have.</summary>
internal sealed class JinjaTuple(IReadOnlyList<object?> items, params string[] names)
{
    public IReadOnlyList<object?> Items { get; } = items;

    /// <summary>The element of a name; false where there is none.</summary>
    public bool TryGet(string name, out object? value)
    {
        var at = Array.IndexOf(names, name);
        value = at < 0 ? null : Items[at];
        return at >= 0;
    }
}

/// <summary>What select, map and the like return: it can be gone through, but has neither length nor elements.</summary>
internal sealed class JinjaGenerator(IReadOnlyList<object?> items)
{
    public IReadOnlyList<object?> Items { get; } = items;
}

/// <summary>namespace(): the one thing whose attributes a template sets.</summary>
internal sealed class JinjaNamespace(string typeName = "Namespace")
{
    /// <summary>Namespace, or what else behaves like one: Cycler.</summary>
    public string TypeName { get; } = typeName;

    public Dictionary<string, object?> Attributes { get; } = new(StringComparer.Ordinal);

    public JinjaDict ToDict() => JinjaDict.Of(Attributes);
}
