using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Ops;

/// <summary>
/// y = g · sigmoid(α · g) · (u + 1),  g = min(gate, limit), u = up between −limit and limit, α = 1.702 (source: GptOssExperts in modeling_gpt_oss of
/// transformers).
/// </summary>
internal readonly struct ClampedSwigluOp : IElementwise
{
    /// <summary>Makes the sigmoid's slope that of the normal distribution's integral.</summary>
    private const float Alpha = 1.702f;

    public static int Cost => 4;

    public static StepPart Part => StepPart.Activation;

    public static double Define(double gate, double up, double limit)
    {
        var (g, u) = (Math.Min(gate, limit), Math.Clamp(up, -limit, limit));
        return g / (1 + Math.Exp(-(double)Alpha * g)) * (u + 1);
    }

    public static T Apply<T>(T gate, T up, T limit) where T : unmanaged, IVector16<T>
    {
        var g = T.Min(limit, gate);
        var u = T.Max(T.Broadcast(0) - limit, T.Min(limit, up));
        var glu = g / (T.Broadcast(1) + VectorMath.Exp(T.Broadcast(-Alpha) * g));
        return (u + T.Broadcast(1)) * glu;
    }

    public static float OnGpu(float gate, float up, float limit)
    {
        var g = gate < limit ? gate : limit;
        var u = up < limit ? up : limit;
        u = u > -limit ? u : -limit;
        return (u + 1f) * (g / (1f + GpuMath.Exp(-Alpha * g)));
    }
}

internal static class ClampedSwigluExtensions
{
    /// <summary>All are [rows, columns]; <paramref name="into"/> may be <paramref name="gate"/> or <paramref name="up"/>.</summary>
    public static void ClampedSwiglu(this OpStream ops, Matrix gate, Matrix up, float limit, Matrix into) =>
        Elementwise<ClampedSwigluOp>.Run(ops, gate, up, into, limit);
}
