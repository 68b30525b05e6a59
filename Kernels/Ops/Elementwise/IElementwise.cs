using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Ops;

/// <summary>
/// An operation that makes one number of two, element by element: y = f(a, b), with a parameter that is the same for all. It is written three times,
/// a line or a few each; everything else (cutting, threads, remainders, launches) is <see cref="Elementwise{TOp}"/>'s.
/// </summary>
internal interface IElementwise
{
    /// <summary>Work for an element, in passes over memory: 1 for a sum, more where there is an exponential.</summary>
    static abstract int Cost { get; }

    /// <summary>What its time in a step is counted as.</summary>
    static abstract StepPart Part { get; }

    /// <summary>The definition.</summary>
    static abstract double Define(double a, double b, double parameter);

    /// <summary>Sixteen elements on a processor.</summary>
    static abstract T Apply<T>(T a, T b, T parameter) where T : unmanaged, IVector16<T>;

    /// <summary>One element on a GPU.</summary>
    static abstract float OnGpu(float a, float b, float parameter);
}
