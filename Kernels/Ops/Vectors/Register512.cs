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
}
