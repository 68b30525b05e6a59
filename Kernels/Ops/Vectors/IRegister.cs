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

    /// <summary>The same 32 bits in every lane.</summary>
    static abstract TSelf BroadcastBits(int value);

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

    /// <summary>The products of a lane's four unsigned bytes (0-15) with four signed ones, summed.</summary>
    static abstract TSelf ByteProducts(TSelf codes, TSelf fourBytes);

    /// <summary>The sum of two integer sums.</summary>
    static abstract TSelf AddByteSums(TSelf left, TSelf right);

    /// <summary>
    /// Adds to each lane's integer sum the products of its four unsigned bytes (0-15) with four signed ones. Eight such steps fit in a sum, in parts
    /// or in one. End with <see cref="SumToFloat"/>.
    /// </summary>
    static abstract TSelf AddByteProducts(TSelf sum, TSelf codes, TSelf fourBytes);

    /// <summary>The integer sums of <see cref="AddByteProducts"/> as floats: exact.</summary>
    static abstract TSelf SumToFloat(TSelf sum);

    /// <summary>
    /// The first two bytes of each lane, and the last two, as FP8 E4M3 codes: 64 times their values as two int16, what is behind the point cut off.
    /// </summary>
    static abstract void Float8Pairs(TSelf bits, out TSelf first, out TSelf last);

    /// <summary>The first two bytes of each lane, and the last two, less 128 each, as two int16.</summary>
    static abstract void BytePairs(TSelf bits, out TSelf first, out TSelf last);

    /// <summary>Adds to each lane's int32 the products of its two int16 with two others.</summary>
    static abstract TSelf AddPairProducts(TSelf sum, TSelf pairs, TSelf twoShorts);

    /// <summary>The int32 of each lane as a float, rounded once.</summary>
    static abstract TSelf PairSumToFloat(TSelf sum);
}
