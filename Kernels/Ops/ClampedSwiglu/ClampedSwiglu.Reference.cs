using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

internal static partial class ClampedSwigluOp
{
    /// <summary>The definition, in double.</summary>
    internal static void Reference(Matrix gate, Matrix up, float limit, Matrix into)
    {
        for (var i = 0; i < gate.Values.Length; i++)
        {
            double g = Math.Min(gate.Values[i], limit);
            double u = Math.Clamp(up.Values[i], -limit, limit);
            into.Values[i] = (float)(g / (1 + Math.Exp(-Alpha * g)) * (u + 1));
        }
    }
}
