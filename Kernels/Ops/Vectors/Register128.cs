using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Quilt.Kernels.Ops.Vectors;

/// <summary>AdvSimd, and every other machine with 128-bit vectors.</summary>
internal readonly unsafe struct Register128(Vector128<float> v) : IRegister<Register128>
{
    private readonly Vector128<float> v = v;

    public static int Lanes => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 Broadcast(float value) => new(Vector128.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 Load(float* from) => new(Vector128.Load(from));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Register128 value, float* to) => value.v.Store(to);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 operator -(Register128 left, Register128 right) => new(left.v - right.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 operator *(Register128 left, Register128 right) => new(left.v * right.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 Fma(Register128 a, Register128 b, Register128 c) => new(Vector128.FusedMultiplyAdd(a.v, b.v, c.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 LoadBFloat16(ushort* from) => new((Vector128.WidenLower(Vector64.Load(from).ToVector128Unsafe()) << 16).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 LoadBytes(byte* from) => new(Vector128.ConvertToSingle(Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(uint*)from).AsByte())).AsInt32()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 LowNibbles(Register128 bits) => new((bits.v.AsByte() & Vector128.Create((byte)15)).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 HighNibbles(Register128 bits) =>
        new(((bits.v.AsUInt16() >>> 4).AsByte() & Vector128.Create((byte)15)).AsSingle());

    // Sums are kept in int32 from the start: AdvSimd's dot product adds four products at a time.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 ByteSum(int pair) => new(Vector128.Create((short)pair + (pair >> 16)).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 ByteProducts(Register128 codes, int fourBytes) => AddByteProducts(new(Vector128<float>.Zero), codes, fourBytes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 AddByteSums(Register128 left, Register128 right) => new((left.v.AsInt32() + right.v.AsInt32()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 AddByteProducts(Register128 sum, Register128 codes, int fourBytes)
    {
        // Codes below 16 are the same number signed and unsigned.
        var bytes = Vector128.Create(fourBytes).AsSByte();
        if (Dp.IsSupported) return new(Dp.DotProduct(sum.v.AsInt32(), codes.v.AsSByte(), bytes).AsSingle());
        if (Ssse3.IsSupported)
            return new((sum.v.AsInt32() + Sse2.MultiplyAddAdjacent(Ssse3.MultiplyAddAdjacent(codes.v.AsByte(), bytes), Vector128<short>.One)).AsSingle());
        return new((sum.v.AsInt32() + QuadSums(codes.v.AsSByte(), bytes)).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 SumToFloat(Register128 sum) => new(Vector128.ConvertToSingle(sum.v.AsInt32()));

    private static Vector128<int> QuadSums(Vector128<sbyte> left, Vector128<sbyte> right)
    {
        var low = Vector128.WidenLower(left) * Vector128.WidenLower(right);
        var high = Vector128.WidenUpper(left) * Vector128.WidenUpper(right);
        Span<int> sums = stackalloc int[4];
        for (var i = 0; i < 8; i++)
        {
            sums[i / 4] += low[i];
            sums[2 + (i / 4)] += high[i];
        }
        return Vector128.Create(sums);
    }
}
