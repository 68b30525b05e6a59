namespace Quilt.Kernels.Weights.Tiles;

/// <summary>Where a tiled weight's memory lies, for the kernels.</summary>
internal readonly unsafe struct TileView(byte* codes, byte* scales, byte* zeros, TileScales scaleType, float offset, int rows)
{
    /// <summary>[experts, tiles, words, 16] words.</summary>
    public byte* Codes { get; } = codes;

    /// <summary>[experts, tiles, segments, 16], or null.</summary>
    public byte* Scales { get; } = scales;

    /// <summary>[experts, tiles, segments, 16] bytes, or null.</summary>
    public byte* Zeros { get; } = zeros;

    /// <summary>Element type of <see cref="Scales"/>.</summary>
    public TileScales ScaleType { get; } = scaleType;

    /// <summary>2^23 + the zero of all codes, where <see cref="Zeros"/> is null.</summary>
    public float Offset { get; } = offset;

    /// <summary>Rows of one matrix.</summary>
    public int Rows { get; } = rows;

    /// <summary>Tiles of one matrix.</summary>
    public int Tiles => (Rows + 15) / 16;
}
