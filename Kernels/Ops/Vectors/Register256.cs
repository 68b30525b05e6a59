using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Quilt.Kernels.Ops.Vectors;

/// <summary>AVX2.</summary>
internal readonly unsafe struct Register256(Vector256<float> v) : IRegister<Register256>
{
    private readonly Vector256<float> v = v;

    public static int Lanes => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 Broadcast(float value) => new(Vector256.Create(value));

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
    public static Register256 ByteProducts(Register256 codes, int fourBytes) =>
        new(Avx2.MultiplyAddAdjacent(codes.v.AsByte(), Vector256.Create(fourBytes).AsSByte()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 AddByteSums(Register256 left, Register256 right) => new((left.v.AsInt16() + right.v.AsInt16()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 AddByteProducts(Register256 sum, Register256 codes, int fourBytes) =>
        new((sum.v.AsInt16() + Avx2.MultiplyAddAdjacent(codes.v.AsByte(), Vector256.Create(fourBytes).AsSByte())).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 SumToFloat(Register256 sum) =>
        new(Avx.ConvertToVector256Single(Avx2.MultiplyAddAdjacent(sum.v.AsInt16(), Vector256<short>.One)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 BytePairs(Register256 bits, int half)
    {
        // Places of the two bytes in a quarter of the register, each with a zero above it.
        var first = Vector128.Create((byte)0, 255, 1, 255, 4, 255, 5, 255, 8, 255, 9, 255, 12, 255, 13, 255);
        var last = Vector128.Create((byte)2, 255, 3, 255, 6, 255, 7, 255, 10, 255, 11, 255, 14, 255, 15, 255);
        var places = Vector256.Create(half == 0 ? first : last);
        return new((Avx2.Shuffle(bits.v.AsByte(), places).AsInt16() - Vector256.Create((short)128)).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 AddPairProducts(Register256 sum, Register256 pairs, int twoShorts) =>
        new((sum.v.AsInt32() + Avx2.MultiplyAddAdjacent(pairs.v.AsInt16(), Vector256.Create(twoShorts).AsInt16())).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 PairSumToFloat(Register256 left, Register256 right) =>
        new(Avx.ConvertToVector256Single(left.v.AsInt32() + right.v.AsInt32()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 Float8Pairs(Register256 bits, int half)
    {
        // The codes in the upper halves of 16 bits: sign, four bits of exponent e, three of mantissa m.
        var first = Vector128.Create((byte)255, 0, 255, 1, 255, 4, 255, 5, 255, 8, 255, 9, 255, 12, 255, 13);
        var last = Vector128.Create((byte)255, 2, 255, 3, 255, 6, 255, 7, 255, 10, 255, 11, 255, 14, 255, 15);
        var x = Avx2.Shuffle(bits.v.AsByte(), Vector256.Create(half == 0 ? first : last)).AsUInt16();
        // (8 + m) · 2^12 times 2^e, the upper half of it; exponent 0 has no power, as is right for values below 2^−6.
        var mantissa = ((Vector256.ShiftLeft(x, 4) & Vector256.Create((ushort)0x7000)) | Vector256.Create((ushort)0x8000));
        var exponent = Vector256.ShiftRightLogical(x, 11) & Vector256.Create((ushort)15);
        var low = Vector256.Create(Vector128.Create((byte)0, 2, 4, 8, 16, 32, 64, 128, 0, 0, 0, 0, 0, 0, 0, 0));
        var high = Vector256.Create(Vector128.Create((byte)0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128));
        var power = Avx2.Shuffle(low, exponent.AsByte()) | Avx2.Shuffle(high, Vector256.ShiftLeft(exponent, 8).AsByte());
        var magnitude = Avx2.MultiplyHigh(mantissa, power.AsUInt16()).AsInt16();
        return new(Avx2.Sign(magnitude, x.AsInt16()).AsSingle());
    }
}
