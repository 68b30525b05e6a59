using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Weights.Tiles;

/// <summary>
/// How codes lie in a tile. A tile is 16 rows; 64 bytes of it are 16 words of 32 bits, word r belonging to row r and holding the codes of the same
/// few columns. A format says which columns those are and turns a code into a float; everything else is shared.
/// </summary>
internal interface ITileFormat
{
    /// <summary>Codes in a word: 32 / bits.</summary>
    static abstract int PerWord { get; }

    /// <summary>Columns that belong together: a segment is padded to a multiple of this.</summary>
    static abstract int Unit { get; }

    /// <summary>First column of a segment's word number <paramref name="word"/>.</summary>
    static abstract int WordColumn(int word);

    /// <summary>Columns between the first code of a word and its <paramref name="n"/>-th.</summary>
    static abstract int CodeColumn(int n);

    /// <summary>
    /// E: the vector form of a value is 2^−E times the value, which saves a multiplication a code. Half of it is given back to the input before the
    /// sum, half to the sum: powers of two, so nothing is rounded. Even.
    /// </summary>
    static abstract int Exponent { get; }

    /// <summary>
    /// The <paramref name="n"/>-th code of each word as a float times 2^−<see cref="Exponent"/>: for integers code − zero, where
    /// <paramref name="offset"/> is 2^23 + zero.
    /// </summary>
    static abstract T Value<T>(T words, int n, T offset) where T : unmanaged, IVector16<T>;

    /// <summary>The value itself, for one word, in plain code.</summary>
    static abstract float Value(uint word, int n, float offset);
}
