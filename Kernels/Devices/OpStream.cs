namespace Quilt.Kernels.Devices;

/// <summary>
/// The order of work on one device, and the scratch memory of one step. Operations are extension methods, each defined in its own folder below Ops/.
/// Used by one thread.
/// </summary>
internal sealed unsafe class OpStream(CpuDevice device, Activations activations = Activations.Float) : IDisposable
{
    private const long FirstChunk = 1 << 20;
    private readonly List<NativeBuffer> chunks = [];
    private long used;
    private long total;

    /// <summary>Where the work runs.</summary>
    public CpuDevice Device { get; } = device;

    /// <summary>How quantized weights take their input.</summary>
    public Activations Activations { get; } = activations;

    /// <summary>A matrix of scratch memory, not cleared, valid until <see cref="Reset"/>.</summary>
    public Matrix Scratch(int rows, int columns) => new((float*)Bytes((long)rows * columns * sizeof(float)), rows, columns);

    /// <summary>Scratch bytes on a 64-byte boundary, not cleared, valid until <see cref="Reset"/>.</summary>
    public byte* Bytes(long count)
    {
        count = (count + 63) & ~63L;
        if (chunks.Count == 0 || used + count > chunks[^1].Bytes)
        {
            chunks.Add(new NativeBuffer(Math.Max(count, Math.Max(FirstChunk, total))));
            used = 0;
        }
        var start = chunks[^1].Data + used;
        used += count;
        total += count;
        return start;
    }

    /// <summary>Marks the scratch memory taken so far; give it to <see cref="Release"/> to use what came after again.</summary>
    public ScratchMark Mark() => new(chunks.Count, used, total);

    /// <summary>Takes back all scratch memory handed out since <paramref name="mark"/>.</summary>
    public void Release(ScratchMark mark)
    {
        // A chunk opened since the mark stays: the next step would only open it again. Its memory is reused after Reset.
        if (mark.Chunks == chunks.Count) (used, total) = (mark.Used, mark.Total);
    }

    /// <summary>Begins a step: all scratch memory is free again. A step that needed several chunks gets one of their size, so that later steps allocate nothing.</summary>
    public void Reset()
    {
        if (chunks.Count > 1)
        {
            var size = chunks.Sum(chunk => chunk.Bytes);
            foreach (var chunk in chunks) chunk.Dispose();
            chunks.Clear();
            chunks.Add(new NativeBuffer(size));
        }
        used = total = 0;
    }

    public void Dispose()
    {
        foreach (var chunk in chunks) chunk.Dispose();
        chunks.Clear();
    }
}

/// <summary>A place in an <see cref="OpStream"/>'s scratch memory.</summary>
internal readonly record struct ScratchMark(int Chunks, long Used, long Total);
