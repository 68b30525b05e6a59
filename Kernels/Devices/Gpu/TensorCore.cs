using ILGPU.IR.Intrinsics;

namespace Quilt.Kernels.Devices;

internal static partial class TensorCore
{
    /// <summary>Tells ILGPU how each function is written for NVIDIA.</summary>
    public static void Register(IntrinsicImplementationManager manager)
    {
    }
}
