using Quilt.Kernels.Devices;
using Quilt.Kernels.Limits;

namespace Quilt.Cli.Bench;

/// <summary>What a device can do at best, measured whenever it is asked for.</summary>
internal abstract class MachineLimits : IDisposable
{
    /// <summary>What memory's limit is: <c>read</c> or <c>copy</c>.</summary>
    public abstract string MemoryName { get; }

    /// <summary>What the products' limit is: <c>int8</c> or <c>matrix</c>.</summary>
    public abstract string ProductsName { get; }

    /// <summary>Which device, for people.</summary>
    public abstract string Description { get; }

    /// <summary>Host bytes that the measuring itself holds.</summary>
    public virtual long HostBytes => 0;

    /// <summary>GB/s (10^9 bytes).</summary>
    public abstract double Memory();

    /// <summary>GOP/s (10^9 operations); NaN where the device has no such unit.</summary>
    public abstract double Products();

    public abstract void Dispose();

    /// <summary>The limits of a device.</summary>
    public static MachineLimits Of(Device device) => device is CpuDevice cpu ? new CpuLimits(cpu) : new GpuLimits((GpuDevice)device);
}

/// <summary>A processor: reading memory on all threads, and the int8 kernel with everything in the cache.</summary>
internal sealed class CpuLimits(CpuDevice device) : MachineLimits
{
    private readonly ReadSpeed read = new(device.Pool, BufferBytes());
    private readonly Int8Speed int8 = new(device);

    public override string MemoryName => "read";

    public override string ProductsName => "int8";

    public override string Description => $"{device.Pool.Threads} threads, {device.Isa.ToString().ToLowerInvariant()}";

    public override long HostBytes => read.Bytes;

    public override double Memory() => read.Measure();

    public override double Products() => int8.Measure();

    public override void Dispose()
    {
        read.Dispose();
        int8.Dispose();
    }

    // A quarter of what is free at most; a buffer that pushed the weights out of memory would measure the disk.
    private static long BufferBytes()
    {
        var memory = GC.GetGCMemoryInfo();
        var free = memory.TotalAvailableMemoryBytes - Environment.WorkingSet;
        return Math.Clamp(free / 4, 64L << 20, ReadSpeed.DefaultBytes);
    }
}

/// <summary>A GPU: copying its own memory, and tensor cores on registers.</summary>
internal sealed class GpuLimits(GpuDevice device) : MachineLimits
{
    // Stand-ins run on the processor, where a gigabyte takes minutes.
    private readonly GpuCopySpeed copy = new(device, device.Traits.IsCuda ? GpuCopySpeed.DefaultBytes : 1 << 20);
    private readonly GpuMatrixSpeed matrix = new(device);

    public override string MemoryName => "copy";

    public override string ProductsName => "matrix";

    public override string Description => $"{device.Name}, {device.Accelerator.Name}";

    public override double Memory() => copy.Measure();

    public override double Products() => matrix.Measure();

    public override void Dispose()
    {
        copy.Dispose();
        matrix.Dispose();
    }
}
