namespace Quilt.Runtime.Kv.Tiers;

/// <summary>
/// Blocks of one sequence on their way from the tiers into the cache, in their order. Made, and ended, by the engine's thread; in between the tiers'
/// reading thread fills the blocks, which nobody else knows.
/// </summary>
/// <param name="Start">Blocks of the sequence before them, which are in the cache.</param>
/// <param name="Hashes">Their hashes.</param>
/// <param name="Tokens">[blocks · tokens of a block] what they hold.</param>
/// <param name="Table">Blocks that are held meanwhile: the ones before, and behind them those to be filled.</param>
internal sealed record TierLoad(int Start, BlockHash[] Hashes, int[] Tokens, List<int> Table)
{
    private volatile bool isAbandoned;

    /// <summary>Nobody waits for it any more, or what it brings is not to be found: it ends as soon as it can.</summary>
    public bool IsAbandoned { get => isAbandoned; set => isAbandoned = value; }

    /// <summary>Where the blocks that came were found.</summary>
    public List<KvTierKind> Found { get; } = new(Hashes.Length);

    /// <summary>Whether it has ended, for the engine's thread.</summary>
    public bool IsDone { get; set; }

    /// <summary>Tokens that came, of those in the first so many blocks of the sequence.</summary>
    public TierTokens TokensIn(int blocks, int blockTokens)
    {
        var sum = default(TierTokens);
        for (var i = 0; i < Found.Count && Start + i < blocks; i++)
        {
            sum += Found[i] switch
            {
                KvTierKind.Host => new(blockTokens, 0, 0),
                KvTierKind.Disk => new(0, blockTokens, 0),
                _ => new TierTokens(0, 0, blockTokens),
            };
        }
        return sum;
    }
}
