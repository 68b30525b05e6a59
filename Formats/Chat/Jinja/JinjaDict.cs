namespace Quilt.Formats.Chat.Jinja;

/// <summary>A dict: keys in the order they came, equal as Python's are (1, 1.0 and True are one key).</summary>
internal sealed class JinjaDict
{
    private const int Few = 8;
    private readonly List<KeyValuePair<object?, object?>> entries = [];
    private Dictionary<Key, int>? places;          // where there are more than a few

    public int Count => entries.Count;

    public IReadOnlyList<KeyValuePair<object?, object?>> Entries => entries;

    /// <exception cref="JinjaError">The key cannot be hashed.</exception>
    public void Set(object? key, object? value)
    {
        if (Find(key) is >= 0 and var place)
        {
            entries[place] = new(entries[place].Key, value);
            return;
        }
        entries.Add(new(key, value));
        if (places is not null) places.Add(new Key(key), entries.Count - 1);
        else if (entries.Count > Few)
        {
            places = [];
            for (var i = 0; i < entries.Count; i++) places.Add(new Key(entries[i].Key), i);
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

    /// <exception cref="JinjaError">The key cannot be hashed.</exception>
    public bool TryGet(object? key, out object? value)
    {
        var place = Find(key);
        value = place < 0 ? null : entries[place].Value;
        return place >= 0;
    }

    private int Find(object? key)
    {
        if (key is JinjaList or JinjaDict or JinjaView) throw new JinjaError($"unhashable type: '{Python.TypeName(key)}'");
        if (places is not null) return places.TryGetValue(new Key(key), out var place) ? place : -1;
        for (var i = 0; i < entries.Count; i++)
        {
            if (Python.AreEqual(entries[i].Key, key)) return i;
        }
        return -1;
    }

    private readonly struct Key(object? value) : IEquatable<Key>
    {
        private readonly object? value = value;

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
