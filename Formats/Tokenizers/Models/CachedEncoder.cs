using System.Runtime.InteropServices;
using Quilt.Formats.Tokenizers.Bpe;

namespace Quilt.Formats.Tokenizers.Models;

/// <summary>An encoder that remembers the short words it met.</summary>
internal abstract class CachedEncoder : WordEncoder
{
    private const int CacheWords = 1 << 15;
    private const int LongestCached = 64;
    private readonly WordTable cache = new(CacheWords);

    public sealed override void Encode(ReadOnlySpan<byte> word, List<int> ids)
    {
        if (word.Length > LongestCached) EncodeLong(word, ids);
        else EncodePart(word, ids);
    }

    /// <summary>Adds the ids of a word too long to be remembered.</summary>
    protected virtual void EncodeLong(ReadOnlySpan<byte> word, List<int> ids) => EncodeNew(word, ids);

    /// <summary>Adds the ids of a word, or of a part of one that can be encoded by itself.</summary>
    protected void EncodePart(ReadOnlySpan<byte> word, List<int> ids)
    {
        if (word.Length > LongestCached)
        {
            EncodeNew(word, ids);
            return;
        }
        if (cache.TryGet(word, out var known))
        {
            ids.AddRange(known);
            return;
        }
        var first = ids.Count;
        EncodeNew(word, ids);
        if (cache.IsFull) cache.Clear();
        cache.Add(word, CollectionsMarshal.AsSpan(ids)[first..]);
    }

    /// <summary>Adds the ids of a word that is not remembered.</summary>
    protected abstract void EncodeNew(ReadOnlySpan<byte> word, List<int> ids);
}
