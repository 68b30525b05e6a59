using ILGPU;
using ILGPU.Runtime;

namespace Quilt.Kernels.Devices;

/// <summary>
/// The GPU's side of an <see cref="OpStream"/>: a queue of launches, scratch memory, the integers of a step, which are uploaded in one copy, and
/// what is downloaded. Copies are ordered like launches, and a step waits once: for its result.
/// </summary>
internal sealed unsafe class GpuStream : IDisposable
{
    /// <summary>Most that comes back by way of pinned (page-locked) memory, in bytes: some rows of logits.</summary>
    private const long MostLanded = 4 << 20;

    private readonly List<IDisposable> retired = [];
    private MemoryBuffer1D<int, Stride1D.Dense> inputs;
    private HostMemory staged;
    private HostMemory landed;
    private int stagedCount;
    private int sent;
    private long landedBytes;
    private bool underWay;

    public GpuStream(GpuDevice device, Activations activations = Activations.Float)
    {
        (Device, Activations) = (device, activations);
        Queue = device.Accelerator.CreateStream();
        Scratch = new GpuScratch(device.Accelerator);
        inputs = device.Accelerator.Allocate1D<int>(1 << 12);
        staged = new HostMemory(device, sizeof(int) << 12);
        landed = new HostMemory(device, 1 << 16);
        Recordings = GpuRecordings.Of(this);
    }

    /// <summary>Steps that are recorded; null where the device cannot.</summary>
    public GpuRecordings? Recordings { get; }

    /// <summary>Where the work runs.</summary>
    public GpuDevice Device { get; }

    /// <summary>How quantized weights take their input.</summary>
    public Activations Activations { get; }

    /// <summary>Launches run in the order in which they are put here.</summary>
    public AcceleratorStream Queue { get; }

    /// <summary>Memory of a step.</summary>
    public GpuScratch Scratch { get; }

    /// <summary>Grows whenever memory that kernels were given before has moved.</summary>
    public int Moves => Device.Moves + Scratch.Moves + inputMoves;

    private int inputMoves;

    /// <summary>Where a matrix of this stream lies.</summary>
    public ArrayView<float> View(Matrix matrix) => Scratch.View(matrix);

    /// <summary>Where a step's integers lie; uploads what has not been yet.</summary>
    public ArrayView<int> View(Ints values)
    {
        var start = values.Offset >= 0 ? values.Offset : Stage(values.Host);
        Flush();
        return inputs.View.BaseView.SubView(start, Math.Max(1, values.Length));
    }

    /// <summary>Takes integers for the next copy; returns where they will lie.</summary>
    public int Stage(ReadOnlySpan<int> values)
    {
        var start = stagedCount;
        var end = start + ((Math.Max(1, values.Length) + 63) & ~63);
        if (end > staged.Bytes / sizeof(int))
        {
            // A copy from the old one may be under way; it stays until the step ends.
            var larger = new HostMemory(Device, 2L * sizeof(int) * end);
            new ReadOnlySpan<int>(staged.Data, stagedCount).CopyTo(new Span<int>(larger.Data, stagedCount));
            retired.Add(staged);
            staged = larger;
        }
        values.CopyTo(new Span<int>(staged.Data + ((long)start * sizeof(int)), values.Length));
        stagedCount = end;
        return start;
    }

    /// <summary>Sends what was staged and has not been sent.</summary>
    public void Flush()
    {
        if (sent == stagedCount) return;
        if (inputs.Length < stagedCount)
        {
            // Views of the old one may already be in the hands of an operation; it stays until the step ends.
            retired.Add(inputs);
            inputs = Device.Accelerator.Allocate1D<int>(staged.Bytes / sizeof(int));
            inputMoves++;
            sent = 0;
        }
        staged.Send(Queue, sent, stagedCount - sent, inputs.View.BaseView.SubView(sent, stagedCount - sent));
        sent = stagedCount;
        underWay = true;
    }

    /// <summary>
    /// Orders a copy to the host. Returns where the values will lie after <see cref="Wait"/>, until <see cref="Reset"/>; null where they are too
    /// many.
    /// </summary>
    public float* Land(ArrayView<float> values)
    {
        var end = landedBytes + ((values.LengthInBytes + 63) & ~63L);
        if (end > landed.Bytes)
        {
            if (end > MostLanded) return null;
            retired.Add(landed);
            landed = new HostMemory(Device, Math.Min(2 * end, MostLanded));
            (landedBytes, end) = (0, end - landedBytes);
        }
        landed.Bring(Queue, values, landedBytes / sizeof(float));
        var start = (float*)(landed.Data + landedBytes);
        landedBytes = end;
        underWay = true;
        return start;
    }

    /// <summary>Waits for all work and all copies.</summary>
    public void Wait()
    {
        Queue.Synchronize();
        underWay = false;
    }

    /// <summary>A launch over <paramref name="items"/> items, one a thread; threads loop where there are more.</summary>
    public KernelConfig Spread(long items)
    {
        var threads = Device.Traits.GroupThreads;
        return new KernelConfig((int)Math.Clamp((items + threads - 1) / threads, 1, Device.Traits.Groups), threads);
    }

    /// <summary>A launch over <paramref name="items"/> items, one a group; groups loop where there are more.</summary>
    public KernelConfig Groups(long items) => new((int)Math.Clamp(items, 1, Device.Traits.Groups), Device.Traits.GroupThreads);

    /// <summary>
    /// A launch over <paramref name="items"/> items of <paramref name="width"/> values, one a group: under CUDA with as many threads as the values
    /// occupy, up to <see cref="GpuTraits.WideThreads"/>. They hang on the width alone, and so does the order of a row's sums.
    /// </summary>
    public KernelConfig Groups(long items, int width)
    {
        var (groups, threads) = (Groups(items), Device.Traits.GroupThreads);
        if (!Device.Traits.IsCuda) return groups;
        while (threads < GpuTraits.WideThreads && 2 * threads <= width) threads *= 2;
        return new KernelConfig(groups.GridDim.X, threads);
    }

    public void Reset()
    {
        Scratch.Reset();
        // What a copy still reads must not be written over; a step whose result was waited for has none.
        if (underWay) Wait();
        Forget();
        stagedCount = sent = 0;
        landedBytes = 0;
    }

    public void Dispose()
    {
        Queue.Synchronize();
        Recordings?.Dispose();
        Scratch.Dispose();
        Forget();
        staged.Dispose();
        landed.Dispose();
        inputs.Dispose();
        Queue.Dispose();
    }

    private void Forget()
    {
        if (retired.Count == 0) return;
        Wait();
        foreach (var buffer in retired) buffer.Dispose();
        retired.Clear();
    }
}
