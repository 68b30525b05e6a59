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
    public static Register512 ByteProducts(Register512 codes, int fourBytes) =>
        new(Avx512BW.MultiplyAddAdjacent(codes.v.AsByte(), Vector512.Create(fourBytes).AsSByte()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 AddByteSums(Register512 left, Register512 right) => new((left.v.AsInt16() + right.v.AsInt16()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 AddByteProducts(Register512 sum, Register512 codes, int fourBytes) =>
        new((sum.v.AsInt16() + Avx512BW.MultiplyAddAdjacent(codes.v.AsByte(), Vector512.Create(fourBytes).AsSByte())).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 SumToFloat(Register512 sum) =>
        new(Avx512F.ConvertToVector512Single(Avx512BW.MultiplyAddAdjacent(sum.v.AsInt16(), Vector512<short>.One)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 BytePairs(Register512 bits, int half)
    {
        // Places of the two bytes in a quarter of the register, each with a zero above it.
        var first = Vector128.Create((byte)0, 255, 1, 255, 4, 255, 5, 255, 8, 255, 9, 255, 12, 255, 13, 255);
        var last = Vector128.Create((byte)2, 255, 3, 255, 6, 255, 7, 255, 10, 255, 11, 255, 14, 255, 15, 255);
        var places = Vector512.Create<byte>(Vector256.Create(half == 0 ? first : last));
        return new((Avx512BW.Shuffle(bits.v.AsByte(), places).AsInt16() - Vector512.Create((short)128)).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 AddPairProducts(Register512 sum, Register512 pairs, int twoShorts) =>
        new((sum.v.AsInt32() + Avx512BW.MultiplyAddAdjacent(pairs.v.AsInt16(), Vector512.Create(twoShorts).AsInt16())).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 PairSumToFloat(Register512 left, Register512 right) =>
        new(Avx512F.ConvertToVector512Single(left.v.AsInt32() + right.v.AsInt32()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 Float8Pairs(Register512 bits, int half)
    {
        // The codes in the upper halves of 16 bits: sign, four bits of exponent e, three of mantissa m.
        var first = Vector128.Create((byte)255, 0, 255, 1, 255, 4, 255, 5, 255, 8, 255, 9, 255, 12, 255, 13);
        var last = Vector128.Create((byte)255, 2, 255, 3, 255, 6, 255, 7, 255, 10, 255, 11, 255, 14, 255, 15);
        var x = Avx512BW.Shuffle(bits.v.AsByte(), Vector512.Create<byte>(Vector256.Create(half == 0 ? first : last))).AsUInt16();
        // (8 + m) · 2^11 moved down by 15 − e; exponent 0 leaves nothing, as is right for values below 2^−6.
        var mantissa = ((Vector512.ShiftLeft(x, 3) & Vector512.Create((ushort)0x3800)) | Vector512.Create((ushort)0x4000));
        var down = Vector512.AndNot(Vector512.Create((ushort)15), Vector512.ShiftRightLogical(x, 11));
        var magnitude = Avx512BW.ShiftRightLogicalVariable(mantissa, down).AsInt16();
        var sign = Vector512.ShiftRightArithmetic(x.AsInt16(), 15);
        return new(((magnitude ^ sign) - sign).AsSingle());
    }
}
