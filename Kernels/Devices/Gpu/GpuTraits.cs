namespace Quilt.Kernels.Devices;

/// <summary>How kernels are launched on a device, and which of two kernels of one operation.</summary>
/// <param name="GroupThreads">Threads of a group, a power of two.</param>
/// <param name="Groups">Groups that fill the device: kernels loop over what is left, so more would only wait.</param>
/// <param name="TensorCores">Whether the tensor-core kernels run.</param>
internal readonly record struct GpuTraits(int GroupThreads, int Groups, bool TensorCores)
{
    /// <summary>Most threads of a group of a kernel that needs no particular number: what shared arrays are sized for.</summary>
    public const int MostThreads = 256;

    /// <summary>
    /// Most threads of a group that takes a row of thousands of values: with few rows a step waits for its memory, and many loads wait no longer than
    /// one.
    /// </summary>
    public const int WideThreads = 1024;

    /// <summary>Groups of a launch whose kernel gives each item a group of its own; the hardware queues them.</summary>
    public int MostGroups => IsEmulated ? Groups : 1 << 20;

    /// <summary>
    /// Tiles of 16 rows below which a matrix gives the kernel for many input rows, which takes eight at a time, fewer than two groups for each of the
    /// device's multiprocessors.
    /// </summary>
    public int FewTiles => IsEmulated ? 4 : 2 * Groups;

    /// <summary>Warps of a group of the tensor-core kernels.</summary>
    public int MostWarps => IsEmulated ? 2 : 32;

    /// <summary>Whether it is an NVIDIA GPU under CUDA, with memory of its own.</summary>
    public bool IsCuda { get; init; }

    /// <summary>Whether its tensor cores take FP8.</summary>
    public bool Fp8 { get; init; }

    /// <summary>Whether threads are the system's, so that few groups and small ones are best.</summary>
    public bool IsEmulated { get; init; }
}
