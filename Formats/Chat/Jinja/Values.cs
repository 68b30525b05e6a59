using System.Numerics;

namespace Quilt.Formats.Chat.Jinja;

// What a template can hold: null (None), bool, long, BigInteger (beyond long), double, string, and the types below. Nothing of .NET can be reached from them.

/// <summary>A name or attribute that is not there: prints as nothing, is false and empty, and fails when more is asked of it.</summary>
internal sealed class Undefined(string problem)
{
    public string Problem { get; } = problem;

    public static Undefined Name(string name) => new($"'{name}' is undefined");

    public static Undefined Member(object? value, object? name) => new(name is string text
        ? $"'{Python.TypeForAttribute(value)}' has no attribute '{text}'"
        : $"{Python.TypeForAttribute(value)} has no element {Python.Repr(name)}");

    public JinjaError Fail() => new(Problem);
}

/// <summary>A list. Templates cannot change one: the environment is the immutable sandbox.</summary>
internal sealed class JinjaList(IReadOnlyList<object?> items)
{
    public IReadOnlyList<object?> Items { get; } = items;
}

/// <summary>A tuple.</summary>
internal sealed class JinjaTuple(IReadOnlyList<object?> items)
{
    public IReadOnlyList<object?> Items { get; } = items;
}

/// <summary>What `safe` makes of a text: added to another text, it has the other one escaped for HTML, as markupsafe does.</summary>
internal sealed class JinjaMarkup(string text)
{
    public string Text { get; } = text;

    /// <summary>a + b where either may be safe.</summary>
    public static object? Add(object? a, object? b, Run run)
    {
        if (a is not JinjaMarkup && b is not JinjaMarkup) return Operators.Apply("+", a, b, run);
        if (a is not (JinjaMarkup or string)) return Operators.Apply("+", a, ((JinjaMarkup)b!).Text, run);
        if (b is not (JinjaMarkup or string)) return Operators.Apply("+", ((JinjaMarkup)a).Text, b, run);
        return new JinjaMarkup((string)Operators.Apply("+", Escaped(a), Escaped(b), run)!);
    }

    /// <summary>The text with what HTML gives a meaning escaped.</summary>
    public static string Escape(string text) => text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal)
        .Replace(">", "&gt;", StringComparison.Ordinal).Replace("'", "&#39;", StringComparison.Ordinal).Replace("\"", "&#34;", StringComparison.Ordinal);

    private static string Escaped(object? value) => value is JinjaMarkup safe ? safe.Text : Escape((string)value!);
}

/// <summary>What select, map and the like return: it can be gone through, but has neither length nor elements.</summary>
internal sealed class JinjaGenerator(IReadOnlyList<object?> items)
{
    public IReadOnlyList<object?> Items { get; } = items;
}

/// <summary>range(start, stop, step), at most 100,000 numbers as the sandbox has it.</summary>
internal sealed class JinjaRange(long start, long step, int count)
{
    public int Count { get; } = count;

    public object? this[int index] => start + (step * index);

    public IReadOnlyList<object?> Items => [.. Enumerable.Range(0, Count).Select(i => this[i])];

    public override string ToString() => step == 1 ? $"range({start}, {start + Count})" : $"range({start}, {start + (step * Count)}, {step})";
}

/// <summary>namespace(): the one thing whose attributes a template sets.</summary>
internal sealed class JinjaNamespace
{
    public Dictionary<string, object?> Attributes { get; } = new(StringComparer.Ordinal);
}

/// <summary>A dict: keys in the order they came, equal as Python's are (1, 1.0 and True are one key).</summary>
internal sealed class JinjaDict
{
    private readonly List<KeyValuePair<object?, object?>> entries = [];
    private readonly Dictionary<Key, int> places = [];

    public int Count => entries.Count;

    public IReadOnlyList<KeyValuePair<object?, object?>> Entries => entries;

    public void Set(object? key, object? value)
    {
        var its = new Key(key);
        if (places.TryGetValue(its, out var place)) entries[place] = new(entries[place].Key, value);
        else
        {
            places.Add(its, entries.Count);
            entries.Add(new(key, value));
        }
    }

    public bool TryGet(object? key, out object? value)
    {
        value = null;
        if (!places.TryGetValue(new Key(key), out var place)) return false;
        value = entries[place].Value;
        return true;
    }

    private readonly struct Key(object? value) : IEquatable<Key>
    {
        private readonly object? value = value is JinjaList or JinjaDict ? throw new JinjaError($"unhashable type: '{Python.TypeName(value)}'") : value;

        public bool Equals(Key other) => Python.AreEqual(value, other.value);

        public override bool Equals(object? obj) => obj is Key other && Equals(other);

        public override int GetHashCode() => Python.Hash(value);
    }
}

/// <summary>A function of a template: a macro, a global, or a method bound to its value.</summary>
internal sealed class Callable(string name, Func<Run, Arguments, object?> body)
{
    public string Name { get; } = name;

    public Dictionary<string, object?>? Attributes { get; init; }

    public object? Call(Run run, Arguments arguments) => body(run, arguments);
}

/// <summary>What a call passes: values by place and by name, taken out by the one who is called.</summary>
internal sealed class Arguments(string function, List<object?> positional, List<KeyValuePair<string, object?>> named)
{
    public List<object?> Positional { get; } = positional;

    public List<KeyValuePair<string, object?>> Named { get; } = named;

    /// <summary>The argument at a place or of a name; false if it was not passed.</summary>
    public bool TryGet(int place, string name, out object? value)
    {
        value = null;
        if (place >= 0 && place < Positional.Count)
        {
            value = Positional[place];
            return true;
        }
        foreach (var pair in Named)
        {
            if (pair.Key != name) continue;
            value = pair.Value;
            return true;
        }
        return false;
    }

    public object? Get(int place, string name, object? otherwise) => TryGet(place, name, out var value) ? value : otherwise;

    public object? Need(int place, string name) => TryGet(place, name, out var value) ? value : throw new JinjaError($"{function}() missing required argument '{name}'");

    public long Whole(int place, string name, long otherwise) => TryGet(place, name, out var value) && value is not null ? Python.Index(value) : otherwise;

    public string Text(int place, string name, string otherwise) => TryGet(place, name, out var value) && value is not null ? Python.Str(value) : otherwise;

    public bool Flag(int place, string name, bool otherwise) => TryGet(place, name, out var value) ? Python.IsTrue(value) : otherwise;

    /// <summary>Refuses more than was asked for.</summary>
    public Arguments AtMost(int count, params ReadOnlySpan<string> names)
    {
        if (Positional.Count > count) throw new JinjaError($"{function}() takes at most {count} arguments ({Positional.Count} given)");
        foreach (var pair in Named)
        {
            if (!names.Contains(pair.Key)) throw new JinjaError($"{function}() got an unexpected keyword argument '{pair.Key}'");
        }
        return this;
    }
}
