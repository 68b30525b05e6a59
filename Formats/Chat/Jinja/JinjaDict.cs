namespace Quilt.Formats.Chat.Jinja;

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

    /// <summary>A dict of named values.</summary>
    public static JinjaDict Of(IEnumerable<KeyValuePair<string, object?>> named)
    {
        var dict = new JinjaDict();
        foreach (var (key, value) in named) dict.Set(key, value);
        return dict;
    }

    /// <summary>Its entries as tuples.</summary>
    public IReadOnlyList<object?> Pairs() => [.. entries.Select(p => (object?)new JinjaTuple([p.Key, p.Value]))];

    public bool TryGet(object? key, out object? value)
    {
        value = null;
        if (!places.TryGetValue(new Key(key), out var place)) return false;
        value = entries[place].Value;
        return true;
    }

    private readonly struct Key(object? value) : IEquatable<Key>
    {
        private readonly object? value = value is JinjaList or JinjaDict or JinjaView ? throw new JinjaError($"unhashable type: '{Python.TypeName(value)}'") : value;

        public bool Equals(Key other) => Python.AreEqual(value, other.value);

        public override bool Equals(object? obj) => obj is Key other && Equals(other);

        public override int GetHashCode() => Python.Hash(value);
    }
}

/// <summary>keys(), values() or items() of a dict: they can be gone through and have a length, but no element by number.</summary>
internal sealed class JinjaView(string typeName, IReadOnlyList<object?> items)
{
    public string TypeName { get; } = typeName;

    public IReadOnlyList<object?> Items { get; } = items;
}
