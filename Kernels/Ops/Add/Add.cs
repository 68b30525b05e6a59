using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

/// <summary>y = a + b.</summary>
internal readonly struct AddOp : IElementwise
{
    public static int Cost => 1;

    public static StepPart Part => StepPart.Add;

    public static double Define(double a, double b, double parameter) => a + b;

    public static T Apply<T>(T a, T b, T parameter) where T : unmanaged, Vectors.IVector16<T> => a + b;

    public static float OnGpu(float a, float b, float parameter) => a + b;
}

internal static class AddExtensions
{
    /// <summary>into += x; both are [rows, columns].</summary>
    public static void Add(this OpStream ops, Matrix x, Matrix into) => Elementwise<AddOp>.Run(ops, into, x, into);
}
