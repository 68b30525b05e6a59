using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Quilt.Kernels.Ops.Vectors;

/// <summary>
/// Functions over sixteen lanes that give the same bits on every instruction set, because they are made of correctly rounded operations only.
/// </summary>
internal static unsafe class VectorMath
{
    private const float Log2E = 1.44269504f;
    private const float Ln2High = 0.693145752f;     // its last 12 bits are zero: n · Ln2High is exact
    private const float Ln2Low = 1.42860677e-6f;    // ln 2 − Ln2High
    private const float RoundingMagic = 12582912f;  // 1.5 · 2^23: adding it leaves the nearest integer in the low bits

    /// <summary>
    /// e^x within 1.5 units in the last place: 2^n · (Taylor series of degree 7 of e^r), |r| ≤ ln 2 / 2. 0 below −87.7; e^88.3 above 88.3; NaN stays.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Exp<T>(T x) where T : unmanaged, IVector16<T>
    {
        x = T.Min(T.Broadcast(88.3f), T.Max(T.Broadcast(-88f), x));
        var magic = T.Fma(x, T.Broadcast(Log2E), T.Broadcast(RoundingMagic));
        var n = magic - T.Broadcast(RoundingMagic);
        var r = T.Fma(n, T.Broadcast(-Ln2Low), T.Fma(n, T.Broadcast(-Ln2High), x));

        var p = T.Fma(T.Broadcast(1f / 5040), r, T.Broadcast(1f / 720));
        p = T.Fma(p, r, T.Broadcast(1f / 120));
        p = T.Fma(p, r, T.Broadcast(1f / 24));
        p = T.Fma(p, r, T.Broadcast(1f / 6));
        p = T.Fma(p, r, T.Broadcast(0.5f));
        p = T.Fma(p, r, T.Broadcast(1f));
        p = T.Fma(p, r, T.Broadcast(1f));
        return p * T.PowerOfTwo(magic);
    }

    /// <summary>x / (1 + e^−x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Silu<T>(T x) where T : unmanaged, IVector16<T> =>
        x / (T.Broadcast(1f) + Exp(T.Broadcast(0f) - x));

    /// <summary>1 / (1 + e^−x), computed in double and rounded once: choices of experts hang on its last bit.</summary>
    public static float Sigmoid(float x) => (float)(1 / (1 + Exp(-(double)x)));

    /// <summary>e^x in double, within 1e-15; saturates outside ±700. Math.Exp would differ between systems.</summary>
    public static double Exp(double x)
    {
        if (double.IsNaN(x)) return x;
        x = Math.Clamp(x, -700, 700);
        var n = Math.Round(x * 1.4426950408889634);
        var r = Math.FusedMultiplyAdd(n, -1.9082149292705877e-10, Math.FusedMultiplyAdd(n, -0.6931471803691238, x));
        var p = 1.0;
        for (var k = 13; k > 0; k--) p = Math.FusedMultiplyAdd(p, r / k, 1);
        return p * BitConverter.Int64BitsToDouble((1023 + (long)n) << 52);
    }

    /// <summary>The first <paramref name="count"/> (1-16) of sixteen values; the other lanes are 0.</summary>
    public static T LoadFirst<T>(float* from, int count) where T : unmanaged, IVector16<T>
    {
        Debug.Assert(count is > 0 and <= 16, "a vector has sixteen lanes");
        var all = stackalloc float[16];
        for (var i = 0; i < count; i++) all[i] = from[i];
        return T.Load(all);
    }

    /// <summary>Stores the first <paramref name="count"/> (1-16) lanes.</summary>
    public static void StoreFirst<T>(T value, float* to, int count) where T : unmanaged, IVector16<T>
    {
        Debug.Assert(count is > 0 and <= 16, "a vector has sixteen lanes");
        var all = stackalloc float[16];
        T.Store(value, all);
        for (var i = 0; i < count; i++) to[i] = all[i];
    }
}
