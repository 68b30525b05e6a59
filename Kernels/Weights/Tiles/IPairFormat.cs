using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Weights.Tiles;

/// <summary>A format of four codes a word whose values are int16 times a unit, exactly or nearly, for products in integers.</summary>
internal interface IPairFormat : ITileFormat
{
    /// <summary>What an int16 is worth before the scale.</summary>
    static abstract float PairUnit { get; }

    /// <summary>The first two codes of each word (<paramref name="half"/> 0), or the last two (1), as two int16.</summary>
    static abstract T Pairs<T>(T words, int half) where T : unmanaged, IRegister<T>;
}
