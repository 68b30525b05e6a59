using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Weights.Tiles;

/// <summary>A format of four codes a word whose values are int16 times a unit, exactly or nearly, for products in integers.</summary>
internal interface IPairFormat : ITileFormat
{
    /// <summary>What an int16 is worth before the scale.</summary>
    static abstract float PairUnit { get; }

    /// <summary>The first two codes of each word, and the last two, as two int16.</summary>
    static abstract void Pairs<T>(T words, out T first, out T last) where T : unmanaged, IRegister<T>;
}
