using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace Quilt.Kernels.Devices;

/// <summary>
/// Memory of the host that copies to and from a GPU go through without anyone's waiting: pinned (page-locked) on CUDA, whose driver otherwise waits
/// for the stream at every copy. A copy is only ordered; what it reads must stay, and what it writes is there, once the stream has been waited for.
/// </summary>
internal sealed unsafe class HostMemory : IDisposable
{
    private readonly GpuDevice device;
    private readonly NativeBuffer? plain;
    private void* locked;

    /// <param name="device">The GPU.</param>
    /// <param name="bytes">How much, at least 1.</param>
    /// <exception cref="CudaException">The driver has no such memory left.</exception>
    public HostMemory(GpuDevice device, long bytes)
    {
        (this.device, Bytes) = (device, bytes);
        if (device.Traits.IsCuda && Driver.IsComplete)
        {
            device.Accelerator.Bind();
            void* memory = null;
            Check(Driver.Allocate(&memory, (nuint)bytes));
            locked = memory;
        }
        else
        {
            plain = new NativeBuffer(bytes);
        }
    }

    /// <summary>The first byte.</summary>
    public byte* Data => plain is null ? (byte*)locked : plain.Data;

    /// <summary>How many.</summary>
    public long Bytes { get; }

    /// <summary>Orders a copy of <paramref name="count"/> values from <paramref name="first"/> on to the device.</summary>
    public void Send<T>(AcceleratorStream queue, long first, long count, ArrayView<T> to) where T : unmanaged
    {
        if (count == 0) return;
        var from = (T*)Data + first;
        if (locked is null) to.CopyFromCPUUnsafeAsync(queue, ref *from, count);
        else Copy(queue, to.LoadEffectiveAddressAsPtr(), (nint)from, count * sizeof(T));
    }

    /// <summary>Orders a copy of a device's values to where they stand from <paramref name="first"/> on.</summary>
    public void Bring<T>(AcceleratorStream queue, ArrayView<T> from, long first) where T : unmanaged
    {
        if (from.Length == 0) return;
        var to = (T*)Data + first;
        if (locked is null) from.CopyToCPUUnsafeAsync(queue, ref *to, from.Length);
        else Copy(queue, (nint)to, from.LoadEffectiveAddressAsPtr(), from.Length * sizeof(T));
    }

    public void Dispose()
    {
        plain?.Dispose();
        if (locked is null) return;
        device.Accelerator.Bind();
        Driver.Free(locked);
        locked = null;
    }

    // ILGPU makes an object for every copy.
    private void Copy(AcceleratorStream queue, nint to, nint from, long bytes)
    {
        device.Accelerator.Bind();
        Check(Driver.Copy(to, from, (nuint)bytes, ((CudaStream)queue).StreamPtr));
    }

    private static void Check(int error) => CudaException.ThrowIfFailed((CudaError)error);

    /// <summary>The driver's own functions; ILGPU's pinned (page-locked) arrays ask for what not every device has.</summary>
    private static class Driver
    {
        public static readonly delegate* unmanaged<void**, nuint, int> Allocate =
            (delegate* unmanaged<void**, nuint, int>)CudaDriver.Function("cuMemAllocHost_v2");
        public static readonly delegate* unmanaged<void*, int> Free = (delegate* unmanaged<void*, int>)CudaDriver.Function("cuMemFreeHost");
        public static readonly delegate* unmanaged<nint, nint, nuint, nint, int> Copy =
            (delegate* unmanaged<nint, nint, nuint, nint, int>)CudaDriver.Function("cuMemcpyAsync");

        public static bool IsComplete => Allocate is not null && Free is not null && Copy is not null;
    }
}
