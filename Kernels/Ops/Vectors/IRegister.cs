namespace Quilt.Kernels.Ops.Vectors;

/// <summary>
/// One hardware register of float32 lanes. The products of weights are written over it rather than over <see cref="IVector16{TSelf}"/>, because how
/// many registers are in use at a time decides their speed: AVX2 has sixteen, AVX-512 and NEON thirty-two.
/// </summary>
internal unsafe interface IRegister<TSelf> where TSelf : unmanaged, IRegister<TSelf>
{
    /// <summary>float32 lanes: 4, 8 or 16.</summary>
    static abstract int Lanes { get; }

    static abstract TSelf Broadcast(float value);

    static abstract TSelf Load(float* from);

    static abstract void Store(TSelf value, float* to);

    static abstract TSelf operator -(TSelf left, TSelf right);

    static abstract TSelf operator *(TSelf left, TSelf right);

    /// <summary>a · b + c, rounded once.</summary>
    static abstract TSelf Fma(TSelf a, TSelf b, TSelf c);

    /// <summary>As many bfloat16 as there are lanes, widened: exact.</summary>
    static abstract TSelf LoadBFloat16(ushort* from);

    /// <summary>As many bytes as there are lanes, as numbers 0-255.</summary>
    static abstract TSelf LoadBytes(byte* from);

    /// <summary>The low four bits of every byte.</summary>
    static abstract TSelf LowNibbles(TSelf bits);

    /// <summary>The high four bits of every byte, moved down.</summary>
    static abstract TSelf HighNibbles(TSelf bits);

    /// <summary>
    /// Where an integer sum begins: in each lane the sum of the two int16 in <paramref name="pair"/>, kept in whatever form the instruction set adds
    /// byte products to.
    /// </summary>
    static abstract TSelf ByteSum(int pair);

    /// <summary>The products of a lane's four unsigned bytes (0-15) with four signed ones, the same for all lanes, summed.</summary>
    static abstract TSelf ByteProducts(TSelf codes, int fourBytes);

    /// <summary>The sum of two integer sums.</summary>
    static abstract TSelf AddByteSums(TSelf left, TSelf right);

    /// <summary>
    /// Adds to each lane's integer sum the products of its four unsigned bytes (0-15) with four signed ones, the same for all lanes. Eight such
    /// steps fit in a sum, in parts or in one. End with <see cref="SumToFloat"/>.
    /// </summary>
    static abstract TSelf AddByteProducts(TSelf sum, TSelf codes, int fourBytes);

    /// <summary>The integer sums of <see cref="AddByteProducts"/> as floats: exact.</summary>
    static abstract TSelf SumToFloat(TSelf sum);

    /// <summary>
    /// The first two bytes of each lane (<paramref name="half"/> 0), or the last two (1), as FP8 E4M3 codes: 64 times their values as two int16, what
    /// is behind the point cut off.
    /// </summary>
    static abstract TSelf Float8Pairs(TSelf bits, int half);

    /// <summary>The first two bytes of each lane (<paramref name="half"/> 0), or the last two (1), less 128 each, as two int16.</summary>
    static abstract TSelf BytePairs(TSelf bits, int half);

    /// <summary>Adds to each lane's int32 the products of its two int16 with two others, the same for all lanes.</summary>
    static abstract TSelf AddPairProducts(TSelf sum, TSelf pairs, int twoShorts);

    /// <summary>The sum of two int32 of each lane as a float, rounded once.</summary>
    static abstract TSelf PairSumToFloat(TSelf left, TSelf right);
}
