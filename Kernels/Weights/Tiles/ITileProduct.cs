namespace Quilt.Kernels.Weights.Tiles;

/// <summary>The product of one tile with some rows of an input that is held in the product's own form.</summary>
internal unsafe interface ITileProduct
{
    /// <summary>16 outputs of one input row.</summary>
    void One(in TileCursor tile, int row, float* y);

    /// <summary>32 outputs of one input row, from two neighbouring tiles.</summary>
    void TwoTiles(in TileCursor tile, int row, float* y);

    /// <summary>16 outputs of each of four input rows.</summary>
    void FourTokens(in TileCursor tile, int r0, int r1, int r2, int r3, float* y);
}
