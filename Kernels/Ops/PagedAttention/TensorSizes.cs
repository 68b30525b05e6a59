namespace Quilt.Kernels.Ops;

/// <summary>Parameters of the kernels of <see cref="TensorAttention"/>.</summary>
internal struct TensorSizes
{
    public int BlockTokens;

    /// <summary>2^31 / <see cref="BlockTokens"/>, rounded up unless it is whole: a division would cost more than all else that finds a key.</summary>
    public uint BlockFactor;
    public int KvHeads;
    public int Heads;

    /// <summary>Query heads that share a key head.</summary>
    public int Share;

    /// <summary>First token of the launch.</summary>
    public int First;

    /// <summary>Units: the rows of a unit lie together in strips.</summary>
    public int Units;

    /// <summary>Tokens of a unit.</summary>
    public int UnitTokens;

    /// <summary>Groups that share a unit's strips of one key head.</summary>
    public int StripGroups;

    /// <summary>Spans between the partial results of neighbouring heads.</summary>
    public int Spans;

    /// <summary>1: a group takes one span, and leaves partial results.</summary>
    public int Split;

    /// <summary>Warps that share a strip, each with every n-th sixteen keys: one, or all of a group.</summary>
    public int KeyWarps;

    /// <summary>What a product of query and key is multiplied with, times log2(e).</summary>
    public float Scale;

    /// <summary>Positions that a token sees, its own included.</summary>
    public int Window;

    /// <summary>Whether each head has a score more that has no value.</summary>
    public int HasSinks;

    /// <summary>Positions from which on <see cref="Block"/> would be wrong.</summary>
    public static int MostPositions(int blockTokens) => int.MaxValue / blockTokens;

    /// <summary>Sets what follows from the tokens of a block.</summary>
    public void SetBlocks(int blockTokens) => (BlockTokens, BlockFactor) = (blockTokens, (uint)(((1L << 31) + blockTokens - 1) / blockTokens));

    /// <summary>The block of a position.</summary>
    public readonly int Block(int position) => (int)(((ulong)(uint)position * BlockFactor) >> 31);

    /// <summary>The row of a position in [blocks, kvHeads, blockTokens], in the given block of the cache.</summary>
    public readonly int Row(int head, int position, int page) =>
        (((page * KvHeads) + head) * BlockTokens) + position - (Block(position) * BlockTokens);

    /// <summary>The first position that a position sees.</summary>
    public readonly int FirstSeen(int position) => position - Window + 1 > 0 ? position - Window + 1 : 0;

    /// <summary>
    /// Positions of a span of a row that sees so many, counted from a multiple of sixteen: its own affair, whatever else is in the step.
    /// </summary>
    public static int SpanTokens(int seen)
    {
        var tokens = 256;
        while (seen > tokens * TensorAttention.MostSpans) tokens *= 2;
        return tokens;
    }
}
