namespace Quilt.Kernels.Devices;

/// <summary>A device that was found, or looked for.</summary>
/// <param name="Name">What <c>--device</c> calls it: <c>cpu</c>, <c>gpu:0</c>, <c>opencl:0</c>, <c>gpu-emulated</c>.</param>
/// <param name="Kind"><c>CPU</c>, <c>CUDA</c>, <c>OpenCL</c> or <c>emulated</c>.</param>
/// <param name="Description">Model and architecture, as the driver names them; empty where there is none.</param>
/// <param name="MemoryBytes">Its memory; 0 where unknown.</param>
/// <param name="WhyNot">Null if it can be used; else why not, in one sentence.</param>
public sealed record DeviceInfo(string Name, string Kind, string Description, long MemoryBytes, string? WhyNot)
{
    /// <summary>Whether an engine can be opened on it.</summary>
    public bool Usable => WhyNot is null;
}
