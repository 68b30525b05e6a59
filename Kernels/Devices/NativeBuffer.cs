using System.Runtime.InteropServices;

namespace Quilt.Kernels.Devices;

/// <summary>
/// Memory outside the collector's heap, aligned to cache lines of 64 bytes; may exceed 2 GiB. Freed by its owner, or at the latest by the finalizer.
/// </summary>
internal sealed unsafe class NativeBuffer : IDisposable
{
    private readonly IDisposable? owner;
    private static long held;
    private static long mostHeld;
    private void* allocation;
    private byte* data;

    /// <summary>
    /// Takes <paramref name="bytes"/> bytes; zeroed if <paramref name="zeroed"/>; in large pages, where the system has them, if
    /// <paramref name="hugePages"/>: for what will be used whole.
    /// </summary>
    /// <exception cref="OutOfMemoryException">The system has not that much.</exception>
    public NativeBuffer(long bytes, bool zeroed = false, bool hugePages = false)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        Bytes = bytes;
        // Zeroed memory comes from the system page by page as it is touched: a large cache costs nothing before it is used.
        var room = (nuint)bytes + 64;
        allocation = zeroed ? NativeMemory.AllocZeroed(room) : NativeMemory.Alloc(room);
        data = (byte*)(((nuint)allocation + 63) & ~(nuint)63);
        if (hugePages) HugePages.Advise(data, (nuint)bytes);
        GC.AddMemoryPressure(Math.Max(bytes, 1));
        Count(bytes);
    }

    /// <summary>
    /// Memory that is somebody else's, such as a file's: it counts in no sum, and <paramref name="owner"/> is disposed of with the buffer.
    /// </summary>
    public NativeBuffer(byte* data, long bytes, IDisposable owner)
    {
        this.data = data;
        (Bytes, this.owner) = (bytes, owner);
    }

    ~NativeBuffer() => Free();

    /// <summary>Bytes that all buffers of the process hold now.</summary>
    public static long Held => Interlocked.Read(ref held);

    /// <summary>Most that they held at once since <see cref="Watch"/> was last called.</summary>
    public static long MostHeld => Interlocked.Read(ref mostHeld);

    /// <summary>Lets <see cref="MostHeld"/> begin anew, with what is held now.</summary>
    public static void Watch() => Interlocked.Exchange(ref mostHeld, Held);

    /// <summary>Size in bytes.</summary>
    public long Bytes { get; }

    /// <summary>Whether its memory was given back.</summary>
    public bool IsDisposed => data is null;

    /// <summary>First byte, on a 64-byte boundary.</summary>
    public byte* Data => data;

    /// <summary>The bytes as elements of <typeparamref name="T"/>, from element <paramref name="start"/> on.</summary>
    public Span<T> Span<T>(long start, int count) where T : unmanaged
    {
        ObjectDisposedException.ThrowIf(data is null, this);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((start + count) * sizeof(T), Bytes);
        return new Span<T>((T*)data + start, count);
    }

    public void Dispose()
    {
        Free();
        owner?.Dispose();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        if (data is null) return;
        data = null;
        if (allocation is null) return;
        NativeMemory.Free(allocation);
        allocation = null;
        GC.RemoveMemoryPressure(Math.Max(Bytes, 1));
        Interlocked.Add(ref held, -Bytes);
    }

    private static void Count(long bytes)
    {
        var now = Interlocked.Add(ref held, bytes);
        for (var most = MostHeld; now > most; most = MostHeld) Interlocked.CompareExchange(ref mostHeld, now, most);
    }
}
