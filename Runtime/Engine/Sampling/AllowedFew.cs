using System.Runtime.InteropServices;

namespace Quilt.Runtime.Sampling;

/// <summary>
/// The tokens that a request may choose from, where they are so few that it is not worth looking at any other. Keeps its list from row to row.
/// </summary>
internal sealed class AllowedFew
{
    /// <summary>More tokens than this are not few.</summary>
    public const int Most = 8192;

    private readonly List<int> ids = [];

    /// <summary>The tokens, ascending; valid until the next search.</summary>
    public ReadOnlySpan<int> Ids => CollectionsMarshal.AsSpan(ids);

    /// <summary>Finds them; false if they are many.</summary>
    public bool TryFind(SamplerState state, int vocabulary)
    {
        var mask = state.Mask.Span;
        ids.Clear();
        if (state.Allowed is { } allowed && allowed.Length <= Most)
        {
            foreach (var id in allowed)
            {
                if ((uint)id < (uint)vocabulary && (mask.IsEmpty || VocabularyMask.Allows(mask, id))) ids.Add(id);
            }
            return true;
        }
        if (mask.IsEmpty || state.Allowed is not null || VocabularyMask.Count(mask, vocabulary, Most) > Most) return false;
        ids.EnsureCapacity(Most);
        CollectionsMarshal.SetCount(ids, Most);
        CollectionsMarshal.SetCount(ids, VocabularyMask.Collect(mask, vocabulary, CollectionsMarshal.AsSpan(ids)));
        return true;
    }
}
