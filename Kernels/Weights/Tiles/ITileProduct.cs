namespace Quilt.Kernels.Weights.Tiles;

/// <summary>The product of tiles with some rows of an input that is held in the product's own form.</summary>
internal unsafe interface ITileProduct
{
    /// <summary>
    /// 16 outputs of each input row from one tile, or 32 from two neighbouring ones: y is [rows], <see cref="TileMatMul.SumStride"/> floats apart.
    /// </summary>
    void Multiply(in TileCursor tile, int tiles, in InputRows rows, float* y);
}

/// <summary>Rows of an input that are multiplied together.</summary>
/// <param name="rows">Their numbers.</param>
/// <param name="count">How many, <see cref="Most"/> at most.</param>
/// <param name="expert">The expert they belong to; 0 for a plain matrix.</param>
/// <param name="first">How many of the expert's rows come before them: a multiple of <see cref="Most"/>.</param>
internal readonly unsafe ref struct InputRows(int* rows, int count, int expert, int first)
{
    /// <summary>Most rows together: a multiple of 6 and of 4, and small enough that their sums stay in the nearest cache.</summary>
    public const int Most = 96;

    public int* Rows { get; } = rows;

    public int Count { get; } = count;

    public int Expert { get; } = expert;

    public int First { get; } = first;
}
