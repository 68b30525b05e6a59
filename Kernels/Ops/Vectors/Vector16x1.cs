using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Quilt.Kernels.Ops.Vectors;

/// <summary>One register of 512 bits.</summary>
internal readonly unsafe struct Vector16x1(Vector512<float> v) : IVector16<Vector16x1>
{
    private readonly Vector512<float> v = v;

    public static int Registers => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x1 Broadcast(float value) => new(Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x1 Load(float* from) => new(Vector512.Load(from));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x1 LoadBFloat16(ushort* from) =>
        new((Avx512F.ConvertToVector512Int32(Vector256.Load(from)) << 16).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x1 LoadBytes(byte* from) => new(Avx512F.ConvertToVector512Int32(Vector128.Load(from)).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x1 LoadFloat8(byte* from) =>
        new(((Avx512F.ConvertToVector512Int32(Vector128.Load((sbyte*)from)) << 20).AsUInt32() & Vector512.Create(0x87F00000)).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBytes(Vector16x1 bits, byte* to) => Avx512F.ConvertToVector128Byte(bits.v.AsUInt32()).Store(to);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector16x1 value, float* to) => value.v.Store(to);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x1 operator +(Vector16x1 left, Vector16x1 right) => new(left.v + right.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x1 operator -(Vector16x1 left, Vector16x1 right) => new(left.v - right.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x1 operator *(Vector16x1 left, Vector16x1 right) => new(left.v * right.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x1 operator /(Vector16x1 left, Vector16x1 right) => new(left.v / right.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x1 Fma(Vector16x1 a, Vector16x1 b, Vector16x1 c) => new(Vector512.FusedMultiplyAdd(a.v, b.v, c.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x1 Max(Vector16x1 left, Vector16x1 right) => new(Avx512F.Max(left.v, right.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x1 Min(Vector16x1 left, Vector16x1 right) => new(Avx512F.Min(left.v, right.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x1 PowerOfTwo(Vector16x1 magic) => new(((magic.v.AsInt32() << 23) + Vector512.Create(127 << 23)).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x1 ShiftLeft(Vector16x1 bits, int count) =>
        new((bits.v.AsUInt32() << count).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x1 ShiftRight(Vector16x1 bits, int count) =>
        new((bits.v.AsUInt32() >>> count).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x1 And(Vector16x1 bits, uint mask)
    {
        var m = Vector512.Create(mask);
        return new((bits.v.AsUInt32() & m).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x1 Or(Vector16x1 left, Vector16x1 right) =>
        new((left.v.AsUInt32() | right.v.AsUInt32()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x1 Field(Vector16x1 bits, int shift, uint mask, Vector16x1 offset) =>
        new(Field(bits.v, shift, mask) - offset.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x1 Float8(Vector16x1 bits, int n) => new(Small(bits.v, 24 - (8 * n), 4, 0x87F00000));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x1 Float16(Vector16x1 bits, int n) => new(Small(bits.v, 16 - (16 * n), 3, 0x8FFFE000));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Field(Vector512<float> bits, int shift, uint mask)
    {
        var field = shift == 0 ? bits.AsUInt32() : bits.AsUInt32() >>> shift;
        if (uint.MaxValue >> shift != mask) field &= Vector512.Create(mask);
        return (field | Vector512.Create(0x4B000000u)).AsSingle();
    }

    // The code at the top of the lane, then moved down with its sign: the copies of the sign between are masked out.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Small(Vector512<float> bits, int up, int down, uint mask) =>
        (((up == 0 ? bits.AsInt32() : bits.AsInt32() << up) >> down).AsUInt32() & Vector512.Create(mask)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector16x1 value) => Vector16x2.Sum(new Vector16x2(value.v.GetLower(), value.v.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float MaxLane(Vector16x1 value) => Vector16x2.MaxLane(new Vector16x2(value.v.GetLower(), value.v.GetUpper()));
}
