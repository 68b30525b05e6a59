using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

internal static partial class AddOp
{
    /// <summary>The definition.</summary>
    internal static void Reference(Matrix x, Matrix into)
    {
        for (var i = 0; i < x.Values.Length; i++) into.Values[i] += x.Values[i];
    }
}
