namespace Quilt.Kernels.Devices;

/// <summary>Where work runs: weights lie on a device, and an <see cref="OpStream"/> orders the work on it.</summary>
internal abstract class Device : IDisposable
{
    /// <summary>What a user calls it, e.g. <c>cpu</c>.</summary>
    public abstract string Name { get; }

    /// <summary>Releases threads and memory; weights made for the device must not be used afterwards.</summary>
    public abstract void Dispose();
}
