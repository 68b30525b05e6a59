using ILGPU;
using ILGPU.Runtime;

namespace Quilt.Kernels.Devices;

/// <summary>The GPU's side of an <see cref="OpStream"/>: a queue of launches, scratch memory, and the integers of a step, which go over in one copy.</summary>
internal sealed class GpuStream : IDisposable
{
    private MemoryBuffer1D<int, Stride1D.Dense> inputs;
    private int[] staged = new int[1 << 12];
    private readonly List<MemoryBuffer> retired = [];
    private int stagedCount;
    private bool uploaded;

    public GpuStream(GpuDevice device, Activations activations = Activations.Float)
    {
        (Device, Activations) = (device, activations);
        Queue = device.Accelerator.CreateStream();
        Scratch = new GpuScratch(device.Accelerator);
        inputs = device.Accelerator.Allocate1D<int>(staged.Length);
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
        if (end > staged.Length) Array.Resize(ref staged, 2 * end);
        values.CopyTo(staged.AsSpan(start));
        stagedCount = end;
        uploaded = false;
        return start;
    }

    /// <summary>Sends what was staged.</summary>
    public void Flush()
    {
        if (uploaded) return;
        if (inputs.Length < staged.Length)
        {
            // Views of the old one may already be in the hands of an operation; it stays until the step ends.
            retired.Add(inputs);
            inputs = Device.Accelerator.Allocate1D<int>(staged.Length);
            inputMoves++;
        }
        inputs.View.BaseView.SubView(0, stagedCount).CopyFromCPU(Queue, ref staged[0], stagedCount);
        uploaded = true;
    }

    /// <summary>A launch over <paramref name="items"/> items, one a thread; threads loop where there are more.</summary>
    public KernelConfig Spread(long items)
    {
        var threads = Device.Traits.GroupThreads;
        return new KernelConfig((int)Math.Clamp((items + threads - 1) / threads, 1, Device.Traits.Groups), threads);
    }

    /// <summary>A launch over <paramref name="items"/> items, one a group; groups loop where there are more.</summary>
    public KernelConfig Groups(long items) => new((int)Math.Clamp(items, 1, Device.Traits.Groups), Device.Traits.GroupThreads);

    public void Reset()
    {
        Scratch.Reset();
        Forget();
        stagedCount = 0;
        uploaded = false;
    }

    public void Dispose()
    {
        Queue.Synchronize();
        Recordings?.Dispose();
        Scratch.Dispose();
        Forget();
        inputs.Dispose();
        Queue.Dispose();
    }

    private void Forget()
    {
        if (retired.Count == 0) return;
        Queue.Synchronize();
        foreach (var buffer in retired) buffer.Dispose();
        retired.Clear();
    }
}
