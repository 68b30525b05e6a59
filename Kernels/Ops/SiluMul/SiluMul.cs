using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Ops;

/// <summary>y = silu(gate) · up,  silu(g) = g / (1 + e^−g).</summary>
internal readonly struct SiluMulOp : IElementwise
{
    public static int Cost => 4;

    public static StepPart Part => StepPart.Activation;

    public static double Define(double gate, double up, double parameter) => gate / (1 + Math.Exp(-gate)) * up;

    public static T Apply<T>(T gate, T up, T parameter) where T : unmanaged, IVector16<T> => VectorMath.Silu(gate) * up;

    public static float OnGpu(float gate, float up, float parameter) => Silu(gate) * up;

    /// <summary>On a GPU.</summary>
    internal static float Silu(float x) => x / (1f + GpuMath.Exp(-x));
}

internal static class SiluMulExtensions
{
    /// <summary>All are [rows, columns]; <paramref name="into"/> may be <paramref name="gate"/> or <paramref name="up"/>.</summary>
    public static void SiluMul(this OpStream ops, Matrix gate, Matrix up, Matrix into) => Elementwise<SiluMulOp>.Run(ops, gate, up, into);
}
