namespace Quilt.Formats.Grammars;

/// <summary>Compiled grammars of one vocabulary by what they were made of, the least recently used dropped first. Safe to use from several threads.</summary>
public sealed class GrammarCache
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, LinkedListNode<(string Key, CompiledGrammar Grammar, long Size)>> known = new(StringComparer.Ordinal);
    private readonly LinkedList<(string Key, CompiledGrammar Grammar, long Size)> used = new();
    private readonly GrammarVocabulary vocabulary;
    private readonly long capacity;

    /// <summary>An empty cache.</summary>
    /// <param name="vocabulary">The vocabulary of all its grammars.</param>
    /// <param name="capacity">Most bytes, roughly.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="capacity"/> is negative.</exception>
    public GrammarCache(GrammarVocabulary vocabulary, long capacity = 512L << 20)
    {
        ArgumentNullException.ThrowIfNull(vocabulary);
        ArgumentOutOfRangeException.ThrowIfNegative(capacity);
        (this.vocabulary, this.capacity) = (vocabulary, capacity);
    }

    /// <summary>How many grammars are in it.</summary>
    public int Count
    {
        get
        {
            lock (gate) return known.Count;
        }
    }

    /// <summary>Roughly how many bytes they take.</summary>
    public long Size { get; private set; }

    /// <summary>A grammar that was made before, or else a new one. Two that ask at the same time for one that is not there may both make it.</summary>
    /// <param name="key">What the grammar is made of, with its kind and options: equal keys must mean equal grammars.</param>
    /// <param name="make">Makes the grammar.</param>
    /// <exception cref="BadInputException">The grammar is refused; nothing is remembered then.</exception>
    public CompiledGrammar Get(string key, Func<Grammar> make)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(make);
        lock (gate)
        {
            if (known.TryGetValue(key, out var found))
            {
                used.Remove(found);
                used.AddFirst(found);
                Measure(found);
                return found.Value.Grammar;
            }
        }
        var made = new CompiledGrammar(make(), vocabulary);
        lock (gate)
        {
            if (known.TryGetValue(key, out var other)) return other.Value.Grammar;
            var size = made.Size + 2L * key.Length;
            if (size > capacity) return made;
            known[key] = used.AddFirst((key, made, size));
            Size += size;
            Shrink();
            return made;
        }
    }

    // What a grammar remembers grows while it is used.
    private void Measure(LinkedListNode<(string Key, CompiledGrammar Grammar, long Size)> entry)
    {
        var size = entry.Value.Grammar.Size + 2L * entry.Value.Key.Length;
        Size += size - entry.Value.Size;
        entry.Value = entry.Value with { Size = size };
        Shrink();
    }

    private void Shrink()
    {
        while (Size > capacity && used.Last is { } oldest)
        {
            used.RemoveLast();
            known.Remove(oldest.Value.Key);
            Size -= oldest.Value.Size;
        }
    }
}
