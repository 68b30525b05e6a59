namespace Quilt.Formats.Tokenizers.Bpe;

/// <summary>What a byte-level BPE model knows. Immutable; <see cref="BpeEncoder"/> works with it.</summary>
internal sealed class BpeModel
{
    /// <summary>Merges of token ids, in order of rank.</summary>
    public required MergeTable Merges { get; init; }

    /// <summary>The symbols a byte starts as: one token, the two or so of a byte fallback, or none where the vocabulary lacks it.</summary>
    public required int[][] Symbols { get; init; }

    /// <summary>Which bytes stand for nothing but the unknown token.</summary>
    public required bool[] IsUnknown { get; init; }

    /// <summary>The token of bytes without one, or -1 where such bytes are dropped.</summary>
    public required int Unknown { get; init; }

    /// <summary>Whether a run of unknown bytes becomes one token.</summary>
    public required bool FuseUnknown { get; init; }

    /// <summary>Words that are a token as they stand, merged or not ("ignore_merges"); null where every word is merged.</summary>
    public WordTable? WholeWords { get; init; }
}

/// <summary>Turns words into ids and remembers the words it met. One per thread of work.</summary>
internal sealed class BpeEncoder(BpeModel model)
{
    private const int CacheWords = 1 << 15;
    private const int LongestCached = 64;
    private readonly WordTable cache = new(CacheWords);
    private readonly BpeMerger merger = new(model.Merges);
    private int[] symbols = new int[64];

    /// <summary>Work done since the beginning, in pairs of symbols.</summary>
    public long Steps => merger.Steps;

    /// <summary>Adds the ids of a word, which is not empty.</summary>
    public void Encode(ReadOnlySpan<byte> word, List<int> ids)
    {
        if (cache.TryGet(word, out var known))
        {
            ids.AddRange(known);
            return;
        }
        if (model.WholeWords?.TryGet(word, out known) == true)
        {
            ids.AddRange(known);
            return;
        }
        var spelled = Spell(word);               // may replace the array
        var merged = symbols.AsSpan(0, merger.Merge(symbols.AsSpan(0, spelled)));
        ids.AddRange(merged);
        if (word.Length > LongestCached) return;
        if (cache.IsFull) cache.Clear();
        cache.Add(word, merged);
    }

    private int Spell(ReadOnlySpan<byte> word)
    {
        var count = 0;
        var pending = false;
        foreach (var value in word)
        {
            var its = model.Symbols[value];
            if (symbols.Length < count + its.Length + 2) Array.Resize(ref symbols, symbols.Length * 2 + its.Length);
            if (!model.IsUnknown[value])
            {
                // A byte fallback goes before an unknown token that is still open: the library works that way.
                if (pending && its.Length == 1) { symbols[count++] = model.Unknown; pending = false; }
                foreach (var id in its) symbols[count++] = id;
                continue;
            }
            if (model.Unknown < 0) continue;
            if (pending && !model.FuseUnknown) symbols[count++] = model.Unknown;
            pending = true;
        }
        if (pending) symbols[count++] = model.Unknown;
        return count;
    }
}
