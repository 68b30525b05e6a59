using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Quilt.Kernels.Ops.Vectors;

/// <summary>Two registers of 256 bits.</summary>
internal readonly unsafe struct Vector16x2(Vector256<float> a, Vector256<float> b) : IVector16<Vector16x2>
{
    private readonly Vector256<float> a = a; // lanes 0-7
    private readonly Vector256<float> b = b; // lanes 8-15

    public static int Registers => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x2 Broadcast(float value)
    {
        var v = Vector256.Create(value);
        return new(v, v);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x2 Load(float* from) => new(Vector256.Load(from), Vector256.Load(from + 8));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x2 LoadBFloat16(ushort* from) => new(
        (Avx2.ConvertToVector256Int32(Vector128.Load(from)) << 16).AsSingle(),
        (Avx2.ConvertToVector256Int32(Vector128.Load(from + 8)) << 16).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x2 LoadBytes(byte* from) =>
        new(Avx2.ConvertToVector256Int32(from).AsSingle(), Avx2.ConvertToVector256Int32(from + 8).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x2 LoadFloat8(byte* from)
    {
        var mask = Vector256.Create(0x87F00000);
        return new(((Avx2.ConvertToVector256Int32((sbyte*)from) << 20).AsUInt32() & mask).AsSingle(),
            ((Avx2.ConvertToVector256Int32((sbyte*)from + 8) << 20).AsUInt32() & mask).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBytes(Vector16x2 bits, byte* to)
    {
        var halves = Vector256.Narrow(bits.a.AsUInt32(), bits.b.AsUInt32());
        Vector128.Narrow(halves.GetLower(), halves.GetUpper()).Store(to);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector16x2 value, float* to)
    {
        value.a.Store(to);
        value.b.Store(to + 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x2 operator +(Vector16x2 left, Vector16x2 right) => new(left.a + right.a, left.b + right.b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x2 operator -(Vector16x2 left, Vector16x2 right) => new(left.a - right.a, left.b - right.b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x2 operator *(Vector16x2 left, Vector16x2 right) => new(left.a * right.a, left.b * right.b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x2 operator /(Vector16x2 left, Vector16x2 right) => new(left.a / right.a, left.b / right.b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x2 Fma(Vector16x2 a, Vector16x2 b, Vector16x2 c) =>
        new(Vector256.FusedMultiplyAdd(a.a, b.a, c.a), Vector256.FusedMultiplyAdd(a.b, b.b, c.b));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x2 Max(Vector16x2 left, Vector16x2 right) => new(Avx.Max(left.a, right.a), Avx.Max(left.b, right.b));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x2 Min(Vector16x2 left, Vector16x2 right) => new(Avx.Min(left.a, right.a), Avx.Min(left.b, right.b));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x2 PowerOfTwo(Vector16x2 magic)
    {
        var bias = Vector256.Create(127 << 23);
        return new(((magic.a.AsInt32() << 23) + bias).AsSingle(), ((magic.b.AsInt32() << 23) + bias).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x2 ShiftLeft(Vector16x2 bits, int count) =>
        new((bits.a.AsUInt32() << count).AsSingle(), (bits.b.AsUInt32() << count).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x2 ShiftRight(Vector16x2 bits, int count) =>
        new((bits.a.AsUInt32() >>> count).AsSingle(), (bits.b.AsUInt32() >>> count).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x2 And(Vector16x2 bits, uint mask)
    {
        var m = Vector256.Create(mask);
        return new((bits.a.AsUInt32() & m).AsSingle(), (bits.b.AsUInt32() & m).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x2 Or(Vector16x2 left, Vector16x2 right) =>
        new((left.a.AsUInt32() | right.a.AsUInt32()).AsSingle(), (left.b.AsUInt32() | right.b.AsUInt32()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x2 Field(Vector16x2 bits, int shift, uint mask, Vector16x2 offset) =>
        new(Field(bits.a, shift, mask) - offset.a, Field(bits.b, shift, mask) - offset.b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x2 Float8(Vector16x2 bits, int n) =>
        new(Small(bits.a, 24 - (8 * n), 4, 0x87F00000), Small(bits.b, 24 - (8 * n), 4, 0x87F00000));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x2 Float16(Vector16x2 bits, int n) =>
        new(Small(bits.a, 16 - (16 * n), 3, 0x8FFFE000), Small(bits.b, 16 - (16 * n), 3, 0x8FFFE000));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Field(Vector256<float> bits, int shift, uint mask)
    {
        var field = shift == 0 ? bits.AsUInt32() : bits.AsUInt32() >>> shift;
        if (uint.MaxValue >> shift != mask) field &= Vector256.Create(mask);
        return (field | Vector256.Create(0x4B000000u)).AsSingle();
    }

    // The code at the top of the lane, then moved down with its sign: the copies of the sign between are masked out.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Small(Vector256<float> bits, int up, int down, uint mask) =>
        (((up == 0 ? bits.AsInt32() : bits.AsInt32() << up) >> down).AsUInt32() & Vector256.Create(mask)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector16x2 value)
    {
        var eight = value.a + value.b;
        return Vector16x4.Sum(eight.GetLower() + eight.GetUpper());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float MaxLane(Vector16x2 value)
    {
        var eight = Vector256.MaxNative(value.a, value.b);
        return Vector16x4.MaxLane(Vector128.MaxNative(eight.GetLower(), eight.GetUpper()));
    }
}
