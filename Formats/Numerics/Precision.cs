using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Quilt.Formats.Numerics;

/// <summary>
/// The arithmetic of a weight's dtype as PyTorch does it: each operation in float32, its result rounded to the dtype.
/// </summary>
internal interface IPrecision
{
    /// <summary>The scale of a group in which every weight is zero: the dtype's epsilon.</summary>
    static abstract float EmptyScale { get; }

    /// <summary>The nearest value of the dtype, ties to even.</summary>
    static abstract float Round(float value);

    /// <summary>The same of eight finite or infinite values.</summary>
    static abstract Vector256<float> Round(Vector256<float> values);
}

/// <summary>bfloat16.</summary>
internal readonly struct BFloat16Precision : IPrecision
{
    public static float EmptyScale => 0.0078125f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Round(float value) => BFloat16.Round(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Round(Vector256<float> values)
    {
        var bits = values.AsUInt32();
        var odd = (bits >>> 16) & Vector256<uint>.One;
        return ((bits + Vector256.Create(0x7FFFu) + odd) & Vector256.Create(0xFFFF_0000u)).AsSingle();
    }
}

/// <summary>IEEE half.</summary>
internal readonly struct HalfPrecision : IPrecision
{
    public static float EmptyScale => 0.0009765625f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Round(float value) => (float)(Half)value;

    public static Vector256<float> Round(Vector256<float> values)
    {
        Span<float> lanes = stackalloc float[Vector256<float>.Count];
        values.CopyTo(lanes);
        foreach (ref var lane in lanes) lane = Round(lane);
        return Vector256.Create<float>(lanes);
    }
}

/// <summary>IEEE single.</summary>
internal readonly struct SinglePrecision : IPrecision
{
    public static float EmptyScale => 1.1920929e-7f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Round(float value) => value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Round(Vector256<float> values) => values;
}
