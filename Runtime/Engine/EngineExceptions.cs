using Quilt.Kernels.Devices;

namespace Quilt.Runtime;

/// <summary>An engine can run no further step. The inner exception says why.</summary>
public sealed class EngineFailedException : Exception
{
    internal EngineFailedException(Exception cause)
        : base($"The engine failed and is closed: {GpuDevices.Explain(cause) ?? cause.Message}", cause)
    {
    }
}

/// <summary>One request failed by itself; the engine and all other requests go on. The inner exception says why.</summary>
public sealed class RequestFailedException : Exception
{
    internal RequestFailedException(Exception cause)
        : base($"The request failed: {cause.GetType().Name}: {cause.Message}", cause)
    {
    }
}

/// <summary>An engine has as many requests as it may have; one that comes later may find room.</summary>
public sealed class EngineBusyException : Exception
{
    internal EngineBusyException(int running, int waiting)
        : base($"The engine is busy: expected at most {running} running and {waiting} waiting requests (MaxSequences, MaxWaiting), found as many.")
    {
    }
}

/// <summary>The process that answered a request is gone, and the reply cannot be had from another.</summary>
public sealed class ReplicaLostException : Exception
{
    internal ReplicaLostException(string replica, int tokens, string why)
        : base($"The replica '{replica}' was lost after {tokens} tokens: {why}")
    {
    }
}
