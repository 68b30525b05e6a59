using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

internal static partial class SiluMulOp
{
    /// <summary>The definition, in double.</summary>
    internal static void Reference(Matrix gate, Matrix up, Matrix into)
    {
        for (var i = 0; i < gate.Values.Length; i++)
        {
            double g = gate.Values[i];
            into.Values[i] = (float)(g / (1 + Math.Exp(-g)) * up.Values[i]);
        }
    }
}
