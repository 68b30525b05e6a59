using Quilt.Kernels.Devices;
using Quilt.Kernels.Limits;

namespace Quilt.Cli.Bench;

/// <summary>
/// A processor, all threads: memory and caches read, multiply-adds in registers by the instruction set in use, and beside them our own kernel of
/// 4-bit weights in the cache.
/// </summary>
internal sealed class CpuLimits : MachineLimits
{
    /// <summary>The limit of products with int8 input.</summary>
    public const string Int8Name = "int8";

    /// <summary>Our own kernel, which is no limit of the machine.</summary>
    public const string KernelName = "int4_kernel";

    private readonly CpuDevice device;
    private readonly ReadSpeed read;
    private readonly CacheSpeed caches;
    private readonly RegisterSpeed registers;
    private readonly Int4KernelSpeed kernel;

    public CpuLimits(CpuDevice device, Activations activations)
    {
        this.device = device;
        read = new ReadSpeed(device.Pool, BufferBytes());
        caches = new CacheSpeed(device);
        registers = new RegisterSpeed(device);
        kernel = new Int4KernelSpeed(device);
        Memory = new Limit("read", LimitUnit.Gigabytes, "memory, eight streams a thread", read.Measure);
        var int8 = new Limit(Int8Name, LimitUnit.Operations, "multiply-adds of bytes in registers", registers.Int8);
        var floats = new Limit("fma", LimitUnit.Operations, "multiply-adds of float32 in registers", registers.Float32);
        Products = activations == Activations.Int8 ? int8 : floats;
        All =
        [
            Memory,
            new Limit("l2", LimitUnit.Gigabytes, "second-level caches read", caches.SecondLevel),
            new Limit("l1", LimitUnit.Gigabytes, "first-level caches read", caches.FirstLevel),
            int8,
            new Limit("int8_dot256", LimitUnit.Operations, "the same by 256-bit vpdpbusd", registers.Int8Dot),
            new Limit("int16", LimitUnit.Operations, "multiply-adds of 16-bit integers in registers", registers.Int16),
            floats,
            new Limit(KernelName, LimitUnit.Operations, "our kernel of int4 weights and int8 input, 16 rows, in the cache", kernel.Measure),
        ];
    }

    public override Limit Memory { get; }

    public override Limit Products { get; }

    public override IReadOnlyList<Limit> All { get; }

    public override string Description => $"{device.Pool.Threads} threads, {device.Isa.ToString().ToLowerInvariant()}";

    public override long HostBytes => read.Bytes;

    public override void Dispose()
    {
        read.Dispose();
        caches.Dispose();
        registers.Dispose();
        kernel.Dispose();
    }

    // A quarter of what is free at most; a buffer that pushed the weights out of memory would measure the disk.
    private static long BufferBytes()
    {
        var memory = GC.GetGCMemoryInfo();
        var free = memory.TotalAvailableMemoryBytes - Environment.WorkingSet;
        return Math.Clamp(free / 4, 64L << 20, ReadSpeed.DefaultBytes);
    }
}
