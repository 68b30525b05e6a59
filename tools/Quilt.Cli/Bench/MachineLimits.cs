using Quilt.Kernels.Devices;
using Quilt.Kernels.Limits;

namespace Quilt.Cli.Bench;

/// <summary>What a device can do at best, measured whenever it is asked for.</summary>
internal abstract class MachineLimits : IDisposable
{
    /// <summary>What streams weights is held to.</summary>
    public abstract Limit Memory { get; }

    /// <summary>What multiplies is held to.</summary>
    public abstract Limit Products { get; }

    /// <summary>All that there are, <see cref="Memory"/> and <see cref="Products"/> among them.</summary>
    public abstract IReadOnlyList<Limit> All { get; }

    /// <summary>Which device, for people.</summary>
    public abstract string Description { get; }

    /// <summary>Host bytes that the measuring itself holds.</summary>
    public virtual long HostBytes => 0;

    /// <summary>Leaves out what was found while everything was new.</summary>
    public void Forget()
    {
        foreach (var limit in All) limit.Forget();
    }

    public abstract void Dispose();

    /// <summary>The limits of a device for weights that meet their input in this precision.</summary>
    public static MachineLimits Of(Device device, Activations activations) =>
        device is CpuDevice cpu ? new CpuLimits(cpu, activations) : new GpuLimits((GpuDevice)device);
}
