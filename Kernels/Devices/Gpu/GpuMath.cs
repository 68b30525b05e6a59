using ILGPU;

namespace Quilt.Kernels.Devices;

/// <summary>
/// Functions that kernels share; made of multiplications, additions and moves of bits, so that every device computes them alike up to the fusing of
/// multiply and add.
/// </summary>
internal static class GpuMath
{
    /// <summary>e^x within a few units in the last place; 0 below −88, saturated above 88.3.</summary>
    public static float Exp(float x)
    {
        if (x < -88f) return 0;
        x = x > 88.3f ? 88.3f : x;
        var magic = (x * 1.44269504f) + 12582912f;     // 1.5 · 2^23: the nearest integer stands in the low bits
        var n = magic - 12582912f;
        var r = (x - (n * 0.693145752f)) - (n * 1.42860677e-6f);
        var p = (((((((((((((1f / 5040) * r) + (1f / 720)) * r) + (1f / 120)) * r) + (1f / 24)) * r) + (1f / 6)) * r) + 0.5f) * r) + 1f) * r;
        return (p + 1f) * Interop.IntAsFloat(((uint)(int)n + 127u) << 23);
    }

    /// <summary>1 / (1 + e^−x) in double, rounded once: choices of experts hang on its last bit.</summary>
    public static float Sigmoid(float x)
    {
        var y = -(double)x;
        // As branches: one conditional expression gives 0 for NaN on OpenCL.
        if (y > 700) return 0;
        if (y < -700) return 1;
        return (float)(1 / (1 + Exp(y)));
    }

    /// <summary>e^x in double within a few units in the last place, for |x| up to 700; 0 below −700.</summary>
    public static double Exp(double x)
    {
        if (x < -700) return 0;
        var n = (int)((x * 1.4426950408889634) + (x < 0 ? -0.5 : 0.5));
        var r = (x - (n * 0.6931471803691238)) - (n * 1.9082149292705877e-10);
        // The first fourteen terms of the series; one by one, because a loop would wait for a division in each.
        var p = 1.0 / 6227020800;
        p = (p * r) + (1.0 / 479001600);
        p = (p * r) + (1.0 / 39916800);
        p = (p * r) + (1.0 / 3628800);
        p = (p * r) + (1.0 / 362880);
        p = (p * r) + (1.0 / 40320);
        p = (p * r) + (1.0 / 5040);
        p = (p * r) + (1.0 / 720);
        p = (p * r) + (1.0 / 120);
        p = (p * r) + (1.0 / 24);
        p = (p * r) + (1.0 / 6);
        p = (p * r) + 0.5;
        p = (((p * r) + 1) * r) + 1;
        return p * Interop.IntAsFloat((ulong)(1023 + n) << 52);
    }

    /// <summary>float32 to FP8 E4M3, to the nearest, ties to even; magnitudes beyond 448 become 448. NaN stays NaN.</summary>
    public static uint ToE4M3(float value)
    {
        var bits = Interop.FloatAsInt(value);
        var sign = (bits >> 24) & 0x80;
        var size = bits & 0x7FFFFFFF;
        if (size > 0x7F800000) return sign | 0x7F;
        if (size >= 0x43E00000) return sign | 0x7E;
        // Below 2^-6 there are steps of 2^-9: the nearest number of them stands in the low bits of the sum.
        if (size < 0x3C800000) return sign | (Interop.FloatAsInt((Interop.IntAsFloat(size) * 512f) + 12582912f) & 0xFF);
        return sign | (((size + 0x7FFFF + ((size >> 20) & 1)) >> 20) - (120 << 3));
    }

    /// <summary>bfloat16 in the low half as float32.</summary>
    public static float FromBFloat16(uint bits) => Interop.IntAsFloat(bits << 16);

    /// <summary>float32 to bfloat16, to the nearest, ties to even. NaN stays NaN.</summary>
    public static uint ToBFloat16(float value)
    {
        var bits = Interop.FloatAsInt(value);
        if ((bits & 0x7FFFFFFF) > 0x7F800000) return (bits >> 16) | 0x40;
        return (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
    }

    /// <summary>
    /// The sum over a group, of which each thread brings a part; folded in halves in <paramref name="parts"/>, which is shared, one a thread, and
    /// free again afterwards. Without atomics, for which some OpenCL drivers have no code.
    /// </summary>
    public static int Sum(ArrayView<int> parts, int part)
    {
        parts[Group.IdxX] = part;
        Group.Barrier();
        for (var half = Group.DimX >> 1; half > 0; half >>= 1)
        {
            if (Group.IdxX < half) parts[Group.IdxX] += parts[Group.IdxX + half];
            Group.Barrier();
        }
        var sum = parts[0];
        Group.Barrier();
        return sum;
    }

    /// <summary>
    /// 1 / √(mean of squares + ε) for a group, of which each thread brings a sum of squares; they are folded in halves in <paramref name="sums"/>,
    /// which is shared, one a thread, and free again afterwards.
    /// </summary>
    public static float Rms(ArrayView<float> sums, float sum, int count, float epsilon)
    {
        sums[Group.IdxX] = sum;
        Group.Barrier();
        for (var half = Group.DimX >> 1; half > 0; half >>= 1)
        {
            if (Group.IdxX < half) sums[Group.IdxX] += sums[Group.IdxX + half];
            Group.Barrier();
        }
        var mean = sums[0] / count;
        Group.Barrier();
        return 1f / ILGPU.Algorithms.XMath.Sqrt(mean + epsilon);
    }
}
