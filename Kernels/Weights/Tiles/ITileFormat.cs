using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Weights.Tiles;

/// <summary>
/// How codes lie in a tile. A tile is 16 rows; 64 bytes of it are 16 words of 32 bits, word r belonging to row r and holding the codes of the same few columns.
/// A format says which columns those are and turns a code into a float; everything else is shared.
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

    /// <summary>The <paramref name="n"/>-th code of each word as a float: for integers code − zero, where <paramref name="offset"/> is 2^23 + zero.</summary>
    static abstract T Value<T>(T words, int n, T offset) where T : unmanaged, IVector16<T>;

    /// <summary>The same for one word, in plain code.</summary>
    static abstract float Value(uint word, int n, float offset);
}
