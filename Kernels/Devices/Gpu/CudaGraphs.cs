using ILGPU.Runtime.Cuda;

namespace Quilt.Kernels.Devices;

/// <summary>
/// CUDA graphs: launches that a stream records instead of running them, and that are then run again by one call. ILGPU knows nothing of them; its
/// launches go to a stream that records like to any other.
/// </summary>
internal sealed unsafe class CudaGraphs
{
    // Other threads may allocate while this one records.
    private const int ThreadLocal = 1;

    private readonly delegate* unmanaged<nint, int, int> begin;
    private readonly delegate* unmanaged<nint, nint*, int> end;
    private readonly delegate* unmanaged<nint*, nint, ulong, int> instantiate;
    private readonly delegate* unmanaged<nint, nint, int> launch;
    private readonly delegate* unmanaged<nint, int> destroyReady;
    private readonly delegate* unmanaged<nint, int> destroyGraph;

    private CudaGraphs(nint[] functions)
    {
        begin = (delegate* unmanaged<nint, int, int>)functions[0];
        end = (delegate* unmanaged<nint, nint*, int>)functions[1];
        instantiate = (delegate* unmanaged<nint*, nint, ulong, int>)functions[2];
        launch = (delegate* unmanaged<nint, nint, int>)functions[3];
        destroyReady = (delegate* unmanaged<nint, int>)functions[4];
        destroyGraph = (delegate* unmanaged<nint, int>)functions[5];
    }

    private static readonly string[] Names =
        ["cuStreamBeginCapture_v2", "cuStreamEndCapture", "cuGraphInstantiateWithFlags", "cuGraphLaunch", "cuGraphExecDestroy", "cuGraphDestroy"];

    /// <summary>The driver's functions; null, with the reason, where it has not all of them.</summary>
    public static CudaGraphs? Find(out string? whyNot)
    {
        var functions = Array.ConvertAll(Names, CudaDriver.Function);
        var missing = Array.IndexOf(functions, 0);
        whyNot = missing < 0 ? null : $"the driver has no {Names[missing]}";
        return missing < 0 ? new CudaGraphs(functions) : null;
    }

    /// <summary>From here on the stream records.</summary>
    /// <exception cref="CudaGraphException">The driver refuses.</exception>
    public void Begin(CudaStream stream) => Check(begin(stream.StreamPtr, ThreadLocal), "begins no recording");

    /// <summary>Ends the recording and makes it ready to run; nothing of it has run.</summary>
    /// <exception cref="CudaGraphException">Something was done that cannot be recorded, or the driver refuses.</exception>
    public nint End(CudaStream stream)
    {
        nint graph = 0, ready = 0;
        Check(end(stream.StreamPtr, &graph), "has not recorded the step");
        var error = instantiate(&ready, graph, 0);
        destroyGraph(graph);
        Check(error, "makes no graph of the step");
        return ready;
    }

    /// <summary>Ends a recording that is of no use, whatever the driver says to it.</summary>
    public void Abandon(CudaStream stream)
    {
        nint graph = 0;
        if (end(stream.StreamPtr, &graph) == 0) destroyGraph(graph);
    }

    /// <summary>Runs a recording.</summary>
    /// <exception cref="CudaGraphException">The driver refuses.</exception>
    public void Launch(nint ready, CudaStream stream) => Check(launch(ready, stream.StreamPtr), "does not run a recorded step");

    /// <summary>Frees a recording.</summary>
    public void Free(nint ready) => destroyReady(ready);

    private static void Check(int error, string what)
    {
        if (error != 0) throw new CudaGraphException($"the driver {what}: {CudaDriver.Explain(error)}");
    }
}

/// <summary>A driver could not record, or not run what it had recorded.</summary>
internal sealed class CudaGraphException(string message) : Exception(message);
