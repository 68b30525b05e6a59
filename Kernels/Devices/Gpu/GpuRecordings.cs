using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace Quilt.Kernels.Devices;

/// <summary>What a step's launches hang on, beside addresses.</summary>
/// <param name="Rows">Tokens, each the last of its sequence.</param>
/// <param name="Reach">What is launched for the longest context: equal for contexts that need the same launches.</param>
/// <param name="Cache">Whose keys and values it reads and writes.</param>
internal readonly record struct StepShape(int Rows, int Reach, object Cache);

/// <summary>
/// Decoding steps, captured as CUDA graphs. A shape's first step runs as it is, and so loads every kernel and takes all memory; its second is
/// recorded and run; from the third on one call runs the recording. A recording holds addresses: when memory has moved since
/// (<see cref="GpuStream.Moves"/>) it is thrown away, and the shape begins anew. The integers of a step are not part of it: they go over before, to
/// where they always lie.
/// </summary>
internal sealed class GpuRecordings : IDisposable
{
    private const int Most = 64;

    private readonly GpuStream gpu;
    private readonly CudaGraphs graphs;
    private readonly Dictionary<StepShape, Recording> recordings = [];
    private StepShape recording;
    private bool records;

    private GpuRecordings(GpuStream gpu, CudaGraphs graphs) => (this.gpu, this.graphs) = (gpu, graphs);

    /// <summary>Recordings on a stream; null where the device has none.</summary>
    public static GpuRecordings? Of(GpuStream gpu) => gpu.Queue is CudaStream && CudaGraphs.Find(out _) is { } graphs ? new(gpu, graphs) : null;

    /// <summary>Why a device does not record its steps; null if it does, or is no CUDA device.</summary>
    public static string? WhyNot(GpuDevice device)
    {
        if (device.Accelerator is not CudaAccelerator) return null;
        CudaGraphs.Find(out var whyNot);
        return whyNot;
    }

    /// <summary>Why recording was given up; null as long as it works.</summary>
    public string? Failure { get; private set; }

    /// <summary>Runs the recording of a shape, if there is one: <paramref name="result"/> is then what that step returned.</summary>
    public bool TryRun(StepShape shape, out Matrix result)
    {
        result = default;
        if (Failure is not null || !recordings.TryGetValue(shape, out var known) || known.Ready == 0) return false;
        gpu.Flush();
        if (known.Moves != gpu.Moves)
        {
            Forget(shape, known);
            return false;
        }
        gpu.Device.Accelerator.Bind();
        graphs.Launch(known.Ready, (CudaStream)gpu.Queue);
        gpu.Scratch.Resume(known.End);
        result = known.Result;
        return true;
    }

    /// <summary>
    /// Begins a step that will be given launch by launch; records it if the shape ran before and nothing moved since. Everything that the step
    /// uploads must have been staged.
    /// </summary>
    public void Begin(StepShape shape)
    {
        if (Failure is not null) return;
        recording = shape;
        gpu.Flush();
        if (!recordings.TryGetValue(shape, out var known) || known.Moves != gpu.Moves)
        {
            if (recordings.Count >= Most) Clear();
            recordings[shape] = new Recording { Moves = -1 };
            return;
        }
        try
        {
            gpu.Device.Accelerator.Bind();
            graphs.Begin((CudaStream)gpu.Queue);
            records = true;
        }
        catch (CudaGraphException thrown)
        {
            GiveUp(thrown);
        }
    }

    /// <summary>
    /// The step's launches are all given. True if they have run, or have been recorded and run; false if they were recorded in vain and must be given
    /// again.
    /// </summary>
    public bool TryEnd(Matrix result)
    {
        if (Failure is not null) return true;
        if (!records)
        {
            // What moved while the step ran moved for the last time: from the next step on addresses hold.
            recordings[recording] = new Recording { Moves = gpu.Moves };
            return true;
        }
        records = false;
        try
        {
            var ready = graphs.End((CudaStream)gpu.Queue);
            recordings[recording] = new Recording { Moves = gpu.Moves, Ready = ready, Result = result, End = gpu.Scratch.Mark() };
            graphs.Launch(ready, (CudaStream)gpu.Queue);
            return true;
        }
        catch (CudaGraphException thrown)
        {
            GiveUp(thrown);
            return false;
        }
    }

    /// <summary>The step that was begun has failed: the stream no longer records, and can be waited for.</summary>
    public void Abandon()
    {
        if (!records) return;
        records = false;
        graphs.Abandon((CudaStream)gpu.Queue);
    }

    public void Dispose() => Clear();

    private void GiveUp(CudaGraphException thrown)
    {
        records = false;
        Failure = thrown.Message;
        Clear();
    }

    private void Forget(StepShape shape, Recording known)
    {
        graphs.Free(known.Ready);
        recordings.Remove(shape);
    }

    private void Clear()
    {
        foreach (var known in recordings.Values)
        {
            if (known.Ready != 0) graphs.Free(known.Ready);
        }
        recordings.Clear();
    }

    private readonly record struct Recording
    {
        /// <summary>How often memory had moved.</summary>
        public int Moves { get; init; }

        /// <summary>The driver's; 0 as long as the shape has only been run.</summary>
        public nint Ready { get; init; }

        /// <summary>What the step returned.</summary>
        public Matrix Result { get; init; }

        /// <summary>What scratch memory it had taken at its end.</summary>
        public ScratchMark End { get; init; }
    }
}
