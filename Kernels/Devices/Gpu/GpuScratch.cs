using ILGPU;
using ILGPU.Runtime;

namespace Quilt.Kernels.Devices;

/// <summary>
/// The scratch memory of one step on a GPU. A matrix in it has no address the host could read: its <see cref="Matrix.Data"/> holds a chunk's number
/// (bits 48-62), an offset in bytes (bits 0-47) and the sign bit, which tells it from host memory.
/// </summary>
internal sealed unsafe class GpuScratch(Accelerator accelerator) : IDisposable
{
    private const long FirstChunk = 1 << 20;
    private const long Alignment = 256;
    private readonly List<MemoryBuffer1D<float, Stride1D.Dense>> chunks = [];
    private long used;
    private long total;

    /// <summary>Grows whenever a chunk is given back.</summary>
    public int Moves { get; private set; }

    /// <summary>Bytes held.</summary>
    public long Bytes => chunks.Sum(chunk => chunk.LengthInBytes);

    /// <summary>Takes a first chunk of this size, so that steps up to it allocate nothing.</summary>
    public void Reserve(long bytes)
    {
        if (chunks.Count == 0) chunks.Add(accelerator.Allocate1D<float>((bytes + 3) / 4));
    }

    public Matrix Take(int rows, int columns)
    {
        var bytes = (Math.Max(1, (long)rows * columns) * sizeof(float) + Alignment - 1) / Alignment * Alignment;
        if (chunks.Count == 0 || used + bytes > chunks[^1].LengthInBytes)
        {
            chunks.Add(accelerator.Allocate1D<float>(Math.Max(bytes, Math.Max(FirstChunk, total)) / sizeof(float)));
            used = 0;
        }
        var place = long.MinValue | ((long)(chunks.Count - 1) << 48) | used;
        used += bytes;
        total += bytes;
        return new Matrix((float*)place, rows, columns);
    }

    /// <summary>Where a matrix lies.</summary>
    public ArrayView<float> View(Matrix matrix)
    {
        var place = (long)matrix.Data;
        var chunk = chunks[(int)((place >> 48) & 0x7FFF)];
        return chunk.View.BaseView.SubView((place & 0xFFFF_FFFF_FFFF) / sizeof(float), (long)matrix.Rows * matrix.Columns);
    }

    public ScratchMark Mark() => new(chunks.Count, used, total);

    /// <summary>Takes as taken what was when <paramref name="mark"/> was made, in an earlier step of the same launches.</summary>
    public void Resume(ScratchMark mark)
    {
        System.Diagnostics.Debug.Assert(mark.Chunks == chunks.Count, "scratch: memory has moved since");
        (used, total) = (mark.Used, mark.Total);
    }

    public void Release(ScratchMark mark)
    {
        if (mark.Chunks == chunks.Count) (used, total) = (mark.Used, mark.Total);
    }

    public void Reset()
    {
        if (chunks.Count > 1)
        {
            var size = chunks.Sum(chunk => chunk.LengthInBytes);
            foreach (var chunk in chunks) chunk.Dispose();
            chunks.Clear();
            chunks.Add(accelerator.Allocate1D<float>(size / sizeof(float)));
            Moves++;
        }
        used = total = 0;
    }

    public void Dispose()
    {
        foreach (var chunk in chunks) chunk.Dispose();
        chunks.Clear();
    }
}
