using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Quilt.Kernels.Ops.Vectors;

/// <summary>AVX2.</summary>
internal readonly unsafe struct Register256(Vector256<float> v) : IRegister<Register256>
{
    private readonly Vector256<float> v = v;

    /// <summary>The register itself.</summary>
    public Vector256<float> Bits => v;

    public static int Lanes => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 Broadcast(float value) => new(Vector256.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 BroadcastBits(int value) => new(Vector256.Create(value).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 Load(float* from) => new(Vector256.Load(from));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Register256 value, float* to) => value.v.Store(to);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 operator -(Register256 left, Register256 right) => new(left.v - right.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 operator *(Register256 left, Register256 right) => new(left.v * right.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 Fma(Register256 a, Register256 b, Register256 c) => new(Vector256.FusedMultiplyAdd(a.v, b.v, c.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 LoadBFloat16(ushort* from) => new((Avx2.ConvertToVector256Int32(Vector128.Load(from)) << 16).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 LoadBytes(byte* from) => new(Avx.ConvertToVector256Single(Avx2.ConvertToVector256Int32(from)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 LowNibbles(Register256 bits) => new((bits.v.AsByte() & Vector256.Create((byte)15)).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 HighNibbles(Register256 bits) =>
        new(((bits.v.AsUInt16() >>> 4).AsByte() & Vector256.Create((byte)15)).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 ByteSum(int pair) => new(Vector256.Create(pair).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 ByteProducts(Register256 codes, Register256 fourBytes) =>
        new(Avx2.MultiplyAddAdjacent(codes.v.AsByte(), fourBytes.v.AsSByte()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 AddByteSums(Register256 left, Register256 right) => new((left.v.AsInt16() + right.v.AsInt16()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 AddByteProducts(Register256 sum, Register256 codes, Register256 fourBytes) =>
        new((sum.v.AsInt16() + Avx2.MultiplyAddAdjacent(codes.v.AsByte(), fourBytes.v.AsSByte())).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 SumToFloat(Register256 sum) =>
        new(Avx.ConvertToVector256Single(Avx2.MultiplyAddAdjacent(sum.v.AsInt16(), Vector256<short>.One)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void BytePairs(Register256 bits, out Register256 first, out Register256 last)
    {
        var codes = bits.v.AsByte();
        var low = Avx2.UnpackLow(codes, Vector256<byte>.Zero).AsInt16() - Vector256.Create((short)128);
        var high = Avx2.UnpackHigh(codes, Vector256<byte>.Zero).AsInt16() - Vector256.Create((short)128);
        (first, last) = (FirstPairs(low, high), LastPairs(low, high));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 AddPairProducts(Register256 sum, Register256 pairs, Register256 twoShorts) =>
        new((sum.v.AsInt32() + Avx2.MultiplyAddAdjacent(pairs.v.AsInt16(), twoShorts.v.AsInt16())).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 PairSumToFloat(Register256 sum) => new(Avx.ConvertToVector256Single(sum.v.AsInt32()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Float8Pairs(Register256 bits, out Register256 first, out Register256 last)
    {
        // A code: sign, four bits of exponent e, three of mantissa m. In bytes as long as that will do: (8 + m) · 2^4, and 2^e in two bytes; exponent
        // 0 has no power, as is right for values below 2^−6.
        var codes = bits.v.AsByte();
        var eighths = Vector128.Create((byte)128, 144, 160, 176, 192, 208, 224, 240, 128, 144, 160, 176, 192, 208, 224, 240);
        var places = Avx2.Shuffle(Vector256.Create(eighths), codes & Vector256.Create((byte)15));
        var exponents = (codes.AsUInt16() >>> 3).AsByte() & Vector256.Create((byte)15);
        var below = Avx2.Shuffle(Vector256.Create(Vector128.Create((byte)0, 2, 4, 8, 16, 32, 64, 128, 0, 0, 0, 0, 0, 0, 0, 0)), exponents);
        var above = Avx2.Shuffle(Vector256.Create(Vector128.Create((byte)0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128)), exponents);
        var zero = Vector256<byte>.Zero;
        // Rows 0, 1 (4, 5) of four codes each, and rows 2, 3 (6, 7): (8 + m) · 2^12 times 2^e, the upper half of it.
        var low = Avx2.MultiplyHigh(Avx2.UnpackLow(zero, places).AsUInt16(), Avx2.UnpackLow(below, above).AsUInt16()).AsInt16();
        var high = Avx2.MultiplyHigh(Avx2.UnpackHigh(zero, places).AsUInt16(), Avx2.UnpackHigh(below, above).AsUInt16()).AsInt16();
        low = Avx2.Sign(low, Avx2.UnpackLow(codes, codes).AsInt16());
        high = Avx2.Sign(high, Avx2.UnpackHigh(codes, codes).AsInt16());
        (first, last) = (FirstPairs(low, high), LastPairs(low, high));
    }

    /// <summary>The first pair of every four int16 of rows 0, 1, 4, 5 and of rows 2, 3, 6, 7, in the order of rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Register256 FirstPairs(Vector256<short> low, Vector256<short> high) =>
        new(Avx.Shuffle(low.AsSingle(), high.AsSingle(), 0b10_00_10_00));

    /// <summary>The last pair of them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Register256 LastPairs(Vector256<short> low, Vector256<short> high) =>
        new(Avx.Shuffle(low.AsSingle(), high.AsSingle(), 0b11_01_11_01));
}
