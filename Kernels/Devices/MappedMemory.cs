using System.IO.MemoryMappedFiles;
using Quilt.Formats;

namespace Quilt.Kernels.Devices;

/// <summary>
/// Ranges of files as memory: read only, brought in by the system as they are touched, and held once for all processes that map them.
/// </summary>
internal static unsafe class MappedMemory
{
    /// <summary>
    /// Maps a range. The file must stay as long as the buffer: one that is cut short while it is mapped ends the process.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="offset">First byte.</param>
    /// <param name="length">Bytes, all of which the file has.</param>
    /// <exception cref="BadInputException">The file cannot be opened or mapped.</exception>
    public static NativeBuffer Open(string path, long offset, long length)
    {
        if (length == 0) return new NativeBuffer(0);
        try
        {
            using var file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
            var view = new View(file.CreateViewAccessor(offset, length, MemoryMappedFileAccess.Read));
            return new NativeBuffer(view.Data, length, view);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new BadInputException(path, null, $"expected {length} bytes at {offset} that can be mapped, found {e.Message}", e);
        }
    }

    /// <summary>The mapping; ends once, however often it is told.</summary>
    private sealed class View : IDisposable
    {
        private MemoryMappedViewAccessor? accessor;

        public View(MemoryMappedViewAccessor accessor)
        {
            this.accessor = accessor;
            byte* start = null;
            accessor.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
            Data = start + accessor.PointerOffset;
        }

        public byte* Data { get; }

        public void Dispose()
        {
            if (Interlocked.Exchange(ref accessor, null) is not { } mapped) return;
            mapped.SafeMemoryMappedViewHandle.ReleasePointer();
            mapped.Dispose();
        }
    }
}
