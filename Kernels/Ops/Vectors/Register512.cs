using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Quilt.Kernels.Ops.Vectors;

/// <summary>AVX-512.</summary>
internal readonly unsafe struct Register512(Vector512<float> v) : IRegister<Register512>
{
    private readonly Vector512<float> v = v;

    public static int Lanes => 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 Broadcast(float value) => new(Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 BroadcastBits(int value) => new(Vector512.Create(value).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 Load(float* from) => new(Vector512.Load(from));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Register512 value, float* to) => value.v.Store(to);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 operator -(Register512 left, Register512 right) => new(left.v - right.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 operator *(Register512 left, Register512 right) => new(left.v * right.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 Fma(Register512 a, Register512 b, Register512 c) => new(Vector512.FusedMultiplyAdd(a.v, b.v, c.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 LoadBFloat16(ushort* from) => new((Avx512F.ConvertToVector512Int32(Vector256.Load(from)) << 16).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 LoadBytes(byte* from) => new(Avx512F.ConvertToVector512Single(Avx512F.ConvertToVector512Int32(Vector128.Load(from))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 LowNibbles(Register512 bits) => new((bits.v.AsByte() & Vector512.Create((byte)15)).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 HighNibbles(Register512 bits) =>
        new(((bits.v.AsUInt16() >>> 4).AsByte() & Vector512.Create((byte)15)).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 ByteSum(int pair) => new(Vector512.Create(pair).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 ByteProducts(Register512 codes, Register512 fourBytes) =>
        new(Avx512BW.MultiplyAddAdjacent(codes.v.AsByte(), fourBytes.v.AsSByte()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 AddByteSums(Register512 left, Register512 right) => new((left.v.AsInt16() + right.v.AsInt16()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 AddByteProducts(Register512 sum, Register512 codes, Register512 fourBytes) =>
        new((sum.v.AsInt16() + Avx512BW.MultiplyAddAdjacent(codes.v.AsByte(), fourBytes.v.AsSByte())).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 SumToFloat(Register512 sum) =>
        new(Avx512F.ConvertToVector512Single(Avx512BW.MultiplyAddAdjacent(sum.v.AsInt16(), Vector512<short>.One)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void BytePairs(Register512 bits, out Register512 first, out Register512 last)
    {
        var codes = bits.v.AsByte();
        var low = Avx512BW.UnpackLow(codes, Vector512<byte>.Zero).AsInt16() - Vector512.Create((short)128);
        var high = Avx512BW.UnpackHigh(codes, Vector512<byte>.Zero).AsInt16() - Vector512.Create((short)128);
        (first, last) = (FirstPairs(low, high), LastPairs(low, high));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 AddPairProducts(Register512 sum, Register512 pairs, Register512 twoShorts) =>
        new((sum.v.AsInt32() + Avx512BW.MultiplyAddAdjacent(pairs.v.AsInt16(), twoShorts.v.AsInt16())).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 PairSumToFloat(Register512 sum) => new(Avx512F.ConvertToVector512Single(sum.v.AsInt32()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Float8Pairs(Register512 bits, out Register512 first, out Register512 last)
    {
        // Rows 0, 1 (4, 5, …) of four codes each, and rows 2, 3 (6, 7, …); a code in both bytes of its word.
        var codes = bits.v.AsByte();
        var (low, high) = (Avx512BW.UnpackLow(codes, codes).AsUInt16(), Avx512BW.UnpackHigh(codes, codes).AsUInt16());
        Vector512<short> lowSizes, highSizes;
        if (Avx512Vbmi.IsSupported)
        {
            var below = Avx512Vbmi.PermuteVar64x8x2(Float8Sizes.BelowOfLower, codes, Float8Sizes.BelowOfUpper);
            var above = Avx512Vbmi.PermuteVar64x8x2(Float8Sizes.AboveOfLower, codes, Float8Sizes.AboveOfUpper);
            (lowSizes, highSizes) = (Avx512BW.UnpackLow(below, above).AsInt16(), Avx512BW.UnpackHigh(below, above).AsInt16());
        }
        else (lowSizes, highSizes) = (Float8Sizes.Compute(low), Float8Sizes.Compute(high));
        (low, high) = (Signed(lowSizes, low).AsUInt16(), Signed(highSizes, high).AsUInt16());
        (first, last) = (FirstPairs(low.AsInt16(), high.AsInt16()), LastPairs(low.AsInt16(), high.AsInt16()));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<short> Signed(Vector512<short> sizes, Vector512<ushort> codes) =>
        Vector512.ConditionalSelect(Vector512.LessThan(codes.AsInt16(), Vector512<short>.Zero), Vector512<short>.Zero - sizes, sizes);

    /// <summary>The first pair of every four int16 of rows 0, 1, 4, 5, … and of rows 2, 3, 6, 7, …, in the order of rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Register512 FirstPairs(Vector512<short> low, Vector512<short> high) =>
        new(Avx512F.Shuffle(low.AsSingle(), high.AsSingle(), 0b10_00_10_00));

    /// <summary>The last pair of them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Register512 LastPairs(Vector512<short> low, Vector512<short> high) =>
        new(Avx512F.Shuffle(low.AsSingle(), high.AsSingle(), 0b11_01_11_01));
}
