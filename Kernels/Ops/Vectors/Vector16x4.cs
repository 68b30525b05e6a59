using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Quilt.Kernels.Ops.Vectors;

/// <summary>Four registers of 128 bits: AdvSimd, and every other machine with 128-bit vectors.</summary>
internal readonly unsafe struct Vector16x4(Vector128<float> a, Vector128<float> b, Vector128<float> c, Vector128<float> d) : IVector16<Vector16x4>
{
    private readonly Vector128<float> a = a; // lanes 0-3
    private readonly Vector128<float> b = b; // lanes 4-7
    private readonly Vector128<float> c = c; // lanes 8-11
    private readonly Vector128<float> d = d; // lanes 12-15

    public static int Registers => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x4 Broadcast(float value)
    {
        var v = Vector128.Create(value);
        return new(v, v, v, v);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x4 Load(float* from) =>
        new(Vector128.Load(from), Vector128.Load(from + 4), Vector128.Load(from + 8), Vector128.Load(from + 12));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x4 LoadBFloat16(ushort* from)
    {
        var low = Vector128.Load(from);
        var high = Vector128.Load(from + 8);
        return new(
            (Vector128.WidenLower(low) << 16).AsSingle(),
            (Vector128.WidenUpper(low) << 16).AsSingle(),
            (Vector128.WidenLower(high) << 16).AsSingle(),
            (Vector128.WidenUpper(high) << 16).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x4 LoadBytes(byte* from)
    {
        var bytes = Vector128.Load(from);
        var low = Vector128.WidenLower(bytes);
        var high = Vector128.WidenUpper(bytes);
        return new(
            Vector128.WidenLower(low).AsSingle(),
            Vector128.WidenUpper(low).AsSingle(),
            Vector128.WidenLower(high).AsSingle(),
            Vector128.WidenUpper(high).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x4 LoadFloat8(byte* from)
    {
        var bytes = Vector128.Load((sbyte*)from);
        var low = Vector128.WidenLower(bytes);
        var high = Vector128.WidenUpper(bytes);
        var mask = Vector128.Create(0x87F00000);
        return new(
            ((Vector128.WidenLower(low) << 20).AsUInt32() & mask).AsSingle(),
            ((Vector128.WidenUpper(low) << 20).AsUInt32() & mask).AsSingle(),
            ((Vector128.WidenLower(high) << 20).AsUInt32() & mask).AsSingle(),
            ((Vector128.WidenUpper(high) << 20).AsUInt32() & mask).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBytes(Vector16x4 bits, byte* to) => Vector128.Narrow(
        Vector128.Narrow(bits.a.AsUInt32(), bits.b.AsUInt32()),
        Vector128.Narrow(bits.c.AsUInt32(), bits.d.AsUInt32())).Store(to);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector16x4 value, float* to)
    {
        value.a.Store(to);
        value.b.Store(to + 4);
        value.c.Store(to + 8);
        value.d.Store(to + 12);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x4 operator +(Vector16x4 left, Vector16x4 right) =>
        new(left.a + right.a, left.b + right.b, left.c + right.c, left.d + right.d);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x4 operator -(Vector16x4 left, Vector16x4 right) =>
        new(left.a - right.a, left.b - right.b, left.c - right.c, left.d - right.d);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x4 operator *(Vector16x4 left, Vector16x4 right) =>
        new(left.a * right.a, left.b * right.b, left.c * right.c, left.d * right.d);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x4 operator /(Vector16x4 left, Vector16x4 right) =>
        new(left.a / right.a, left.b / right.b, left.c / right.c, left.d / right.d);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x4 Fma(Vector16x4 a, Vector16x4 b, Vector16x4 c) => new(
        Vector128.FusedMultiplyAdd(a.a, b.a, c.a),
        Vector128.FusedMultiplyAdd(a.b, b.b, c.b),
        Vector128.FusedMultiplyAdd(a.c, b.c, c.c),
        Vector128.FusedMultiplyAdd(a.d, b.d, c.d));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x4 Max(Vector16x4 left, Vector16x4 right) => new(
        Vector128.MaxNative(left.a, right.a),
        Vector128.MaxNative(left.b, right.b),
        Vector128.MaxNative(left.c, right.c),
        Vector128.MaxNative(left.d, right.d));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x4 Min(Vector16x4 left, Vector16x4 right) => new(
        Vector128.MinNative(left.a, right.a),
        Vector128.MinNative(left.b, right.b),
        Vector128.MinNative(left.c, right.c),
        Vector128.MinNative(left.d, right.d));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x4 PowerOfTwo(Vector16x4 magic)
    {
        var bias = Vector128.Create(127 << 23);
        return new(
            ((magic.a.AsInt32() << 23) + bias).AsSingle(),
            ((magic.b.AsInt32() << 23) + bias).AsSingle(),
            ((magic.c.AsInt32() << 23) + bias).AsSingle(),
            ((magic.d.AsInt32() << 23) + bias).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x4 ShiftLeft(Vector16x4 bits, int count) =>
        new((bits.a.AsUInt32() << count).AsSingle(), (bits.b.AsUInt32() << count).AsSingle(), (bits.c.AsUInt32() << count).AsSingle(),
            (bits.d.AsUInt32() << count).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x4 ShiftRight(Vector16x4 bits, int count) =>
        new((bits.a.AsUInt32() >>> count).AsSingle(), (bits.b.AsUInt32() >>> count).AsSingle(), (bits.c.AsUInt32() >>> count).AsSingle(),
            (bits.d.AsUInt32() >>> count).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x4 And(Vector16x4 bits, uint mask)
    {
        var m = Vector128.Create(mask);
        return new((bits.a.AsUInt32() & m).AsSingle(), (bits.b.AsUInt32() & m).AsSingle(), (bits.c.AsUInt32() & m).AsSingle(),
            (bits.d.AsUInt32() & m).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x4 Or(Vector16x4 left, Vector16x4 right) =>
        new((left.a.AsUInt32() | right.a.AsUInt32()).AsSingle(), (left.b.AsUInt32() | right.b.AsUInt32()).AsSingle(),
            (left.c.AsUInt32() | right.c.AsUInt32()).AsSingle(), (left.d.AsUInt32() | right.d.AsUInt32()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x4 Field(Vector16x4 bits, int shift, uint mask, Vector16x4 offset) =>
        new(Field(bits.a, shift, mask) - offset.a, Field(bits.b, shift, mask) - offset.b, Field(bits.c, shift, mask) - offset.c,
            Field(bits.d, shift, mask) - offset.d);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x4 Float8(Vector16x4 bits, int n) =>
        new(Small(bits.a, 24 - (8 * n), 4, 0x87F00000), Small(bits.b, 24 - (8 * n), 4, 0x87F00000), Small(bits.c, 24 - (8 * n), 4, 0x87F00000),
            Small(bits.d, 24 - (8 * n), 4, 0x87F00000));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector16x4 Float16(Vector16x4 bits, int n) =>
        new(Small(bits.a, 16 - (16 * n), 3, 0x8FFFE000), Small(bits.b, 16 - (16 * n), 3, 0x8FFFE000), Small(bits.c, 16 - (16 * n), 3, 0x8FFFE000),
            Small(bits.d, 16 - (16 * n), 3, 0x8FFFE000));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Field(Vector128<float> bits, int shift, uint mask)
    {
        var field = shift == 0 ? bits.AsUInt32() : bits.AsUInt32() >>> shift;
        if (uint.MaxValue >> shift != mask) field &= Vector128.Create(mask);
        return (field | Vector128.Create(0x4B000000u)).AsSingle();
    }

    // The code at the top of the lane, then moved down with its sign: the copies of the sign between are masked out.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Small(Vector128<float> bits, int up, int down, uint mask) =>
        (((up == 0 ? bits.AsInt32() : bits.AsInt32() << up) >> down).AsUInt32() & Vector128.Create(mask)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector16x4 value) => Sum((value.a + value.c) + (value.b + value.d));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector128<float> four) => (four[0] + four[2]) + (four[1] + four[3]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float MaxLane(Vector16x4 value) =>
        MaxLane(Vector128.MaxNative(Vector128.MaxNative(value.a, value.c), Vector128.MaxNative(value.b, value.d)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float MaxLane(Vector128<float> four) => MathF.Max(MathF.Max(four[0], four[2]), MathF.Max(four[1], four[3]));
}
