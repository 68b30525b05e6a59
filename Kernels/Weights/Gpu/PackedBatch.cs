using ILGPU.Runtime;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Weights;

/// <summary>Some tiles of a weight on their way to a GPU, and the queue on which they go.</summary>
internal sealed unsafe class PackedBatch : IDisposable
{
    /// <summary>What the words of a batch take, unless a single tile takes more.</summary>
    public const long MostBytes = 32L << 20;

    private readonly List<HostMemory> owned = [];

    /// <summary>Room for words of 16 bytes, and for scales and zero points in words of 4.</summary>
    public PackedBatch(GpuDevice device, long words, long scales, long zeros)
    {
        try
        {
            Words = Take(device, 16 * words);
            Scales = Take(device, 4 * scales);
            Zeros = Take(device, 4 * zeros);
            Queue = device.Accelerator.CreateStream();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public HostMemory Words { get; }

    public HostMemory Scales { get; }

    public HostMemory Zeros { get; }

    public AcceleratorStream Queue { get; } = null!;

    /// <summary>Waits until what was sent is there, and makes all of it zero.</summary>
    public void Clear()
    {
        Queue.Synchronize();
        foreach (var memory in owned) new Span<byte>(memory.Data, checked((int)memory.Bytes)).Clear();
    }

    public void Dispose()
    {
        Queue?.Dispose();
        foreach (var memory in owned) memory.Dispose();
    }

    private HostMemory Take(GpuDevice device, long bytes)
    {
        var memory = new HostMemory(device, Math.Max(1, bytes));
        owned.Add(memory);
        return memory;
    }
}
