using ILGPU.Runtime;

namespace Quilt.Kernels.Devices;

/// <summary>
/// The order of work on one device, and the scratch memory of one step. Operations are extension methods, each defined in its own folder below Ops/.
/// Used by one thread.
/// </summary>
internal sealed unsafe class OpStream(Device device, Activations activations = Activations.Float) : IDisposable
{
    private const long FirstChunk = 1 << 20;
    private readonly List<NativeBuffer> chunks = [];
    private long used;
    private long total;

    /// <summary>The processor that runs the work, or the one beside the GPU that does.</summary>
    public CpuDevice Device { get; } = device as CpuDevice ?? ((GpuDevice)device).Host;

    /// <summary>The GPU that runs the work; null on a CPU.</summary>
    public GpuStream? Gpu { get; } = device is GpuDevice gpu ? new GpuStream(gpu, activations) : null;

    /// <summary>How quantized weights take their input.</summary>
    public Activations Activations { get; } = activations;

    /// <summary>Who takes the times of what a CPU runs; null: nobody.</summary>
    public StepProfile? Profile { get; set; }

    /// <summary>What comes until the end of the watch is part of <paramref name="part"/>.</summary>
    public StepWatch Watch(StepPart part) => new(Profile, part);

    /// <summary>A matrix of scratch memory, not cleared, valid until <see cref="Reset"/>.</summary>
    public Matrix Scratch(int rows, int columns) => Gpu is null ? HostScratch(rows, columns) : Gpu.Scratch.Take(rows, columns);

    /// <summary>The same in the host's memory, whatever the device.</summary>
    public Matrix HostScratch(int rows, int columns) => new((float*)Bytes((long)rows * columns * sizeof(float)), rows, columns);

    /// <summary>Sets all values of a matrix to zero.</summary>
    public void Clear(Matrix matrix)
    {
        if (matrix.Rows == 0 || matrix.Columns == 0) return;
        if (Gpu is null) for (var row = 0; row < matrix.Rows; row++) matrix.Row(row).Clear();
        else Gpu.View(matrix).MemSetToZero(Gpu.Queue);
    }

    /// <summary>
    /// Puts a step's integers where the device reads them; call it before the step's first operation and all of them go over in one copy.
    /// </summary>
    public Ints Place(ReadOnlySpan<int> values) => new(values, Gpu?.Stage(values) ?? -1);

    /// <summary>A matrix where the host can read it, once all work before is done: itself on a CPU, a copy in scratch memory on a GPU.</summary>
    public Matrix ToHost(Matrix matrix)
    {
        var copy = Bring(matrix);
        Gpu?.Wait();
        return copy;
    }

    /// <summary>The same without waiting: the numbers are there after the next <see cref="ToHost"/>.</summary>
    public Matrix Bring(Matrix matrix)
    {
        if (Gpu is null || !matrix.IsOnDevice) return matrix;
        var empty = matrix.Rows == 0 || matrix.Columns == 0;
        var data = empty ? null : Gpu.Land(Gpu.View(matrix));
        var copy = data is null ? HostScratch(matrix.Rows, matrix.Columns) : new Matrix(data, matrix.Rows, matrix.Columns);
        if (data is null && !empty) Gpu.View(matrix).CopyToCPUUnsafeAsync(Gpu.Queue, ref copy.Values[0], copy.Values.Length);
        return copy;
    }

    /// <summary>A host matrix where operations take it: itself on a CPU, a copy in scratch memory on a GPU.</summary>
    public Matrix ToDevice(Matrix matrix)
    {
        if (Gpu is null || matrix.IsOnDevice) return matrix;
        var copy = Gpu.Scratch.Take(matrix.Rows, matrix.Columns);
        if (matrix.Rows > 0 && matrix.Columns > 0) Gpu.View(copy).CopyFromCPUUnsafeAsync(Gpu.Queue, ref matrix.Values[0], matrix.Values.Length);
        Gpu.Wait();
        return copy;
    }

    /// <summary>Scratch bytes of the host on a 64-byte boundary, not cleared, valid until <see cref="Reset"/>.</summary>
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
    public ScratchMark Mark() => Gpu?.Scratch.Mark() ?? new(chunks.Count, used, total);

    /// <summary>Takes back all scratch memory handed out since <paramref name="mark"/>.</summary>
    public void Release(ScratchMark mark)
    {
        Gpu?.Scratch.Release(mark);
        // A chunk opened since the mark stays: the next step would only open it again. Its memory is reused after Reset.
        if (Gpu is null && mark.Chunks == chunks.Count) (used, total) = (mark.Used, mark.Total);
    }

    /// <summary>
    /// Begins a step: all scratch memory is free again. A step that needed several chunks gets one of their size, so that later steps allocate
    /// nothing.
    /// </summary>
    public void Reset()
    {
        Gpu?.Reset();
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
        Gpu?.Dispose();
        foreach (var chunk in chunks) chunk.Dispose();
        chunks.Clear();
    }
}

/// <summary>A place in an <see cref="OpStream"/>'s scratch memory.</summary>
internal readonly record struct ScratchMark(int Chunks, long Used, long Total);
