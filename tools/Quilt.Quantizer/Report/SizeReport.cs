using System.Text.Json.Serialization;

namespace Quilt.Quantizer.Report;

/// <summary>What a model weighs, and what memory it takes to run.</summary>
/// <param name="Kinds">Bytes of tensors by what they are.</param>
/// <param name="KvBytesPerToken">Bytes of cached keys and values a token, in bfloat16.</param>
/// <param name="MaxTokens">Longest sequence the model was made for.</param>
internal sealed record SizeReport(IReadOnlyList<KindSize> Kinds, long KvBytesPerToken, long MaxTokens)
{
    // What is left of a card's memory for programs, activations and what the allocator loses.
    private const double Share = 0.95;
    private static readonly long[] UsualContexts = [32_768, 131_072, 196_608];
    private static readonly (int Count, int GiB)[] UsualCards =
        [(1, 24), (2, 24), (1, 48), (2, 48), (1, 80), (2, 80), (1, 96), (2, 96)];

    /// <summary>Bytes of all tensors of the original.</summary>
    public long BytesBefore => Kinds.Sum(kind => kind.Before);

    /// <summary>Bytes of all tensors as written.</summary>
    public long BytesAfter => Kinds.Sum(kind => kind.After);

    /// <summary>Memory for the written weights and one sequence, at usual lengths that the model was made for and at its longest.</summary>
    public IReadOnlyList<MemoryNeed> Memory => [.. UsualContexts.Where(tokens => tokens < MaxTokens).Append(MaxTokens).Select(Need)];

    /// <summary>The cards of <see cref="MemoryNeed.Fits"/>, in its order.</summary>
    [JsonIgnore]
    public static IEnumerable<string> Cards => UsualCards.Select(card => FormattableString.Invariant($"{card.Count}×{card.GiB} GB"));

    private MemoryNeed Need(long tokens)
    {
        var cache = tokens * KvBytesPerToken;
        var total = BytesAfter + cache;
        return new(tokens, cache, total, [.. UsualCards.Select(card => total <= Share * card.Count * ((long)card.GiB << 30))]);
    }
}

/// <summary>Bytes of tensors of one kind.</summary>
/// <param name="Kind">What they are.</param>
/// <param name="Before">In the original.</param>
/// <param name="After">As written.</param>
internal sealed record KindSize(string Kind, long Before, long After);

/// <summary>Memory that the written model takes with one sequence.</summary>
/// <param name="Tokens">The sequence's length.</param>
/// <param name="CacheBytes">Its keys and values in bfloat16.</param>
/// <param name="TotalBytes">Weights and cache.</param>
/// <param name="Fits">For each of <see cref="SizeReport.Cards"/>: whether it fits in 95 % of their memory.</param>
internal sealed record MemoryNeed(long Tokens, long CacheBytes, long TotalBytes, IReadOnlyList<bool> Fits);
