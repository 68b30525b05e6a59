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
}
