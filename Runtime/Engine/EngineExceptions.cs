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

/// <summary>A prompt leaves no room for a reply.</summary>
public sealed class PromptTooLongException : Formats.BadInputException
{
    internal PromptTooLongException(int most, string found) : base("prompt", null, $"expected fewer than {most} tokens, found {found}") =>
        (MaxTokens, Found) = (most, found);

    /// <summary>Tokens that prompt and reply may have together.</summary>
    public int MaxTokens { get; }

    /// <summary>How many the prompt has, as far as they were counted.</summary>
    public string Found { get; }
}

/// <summary>An engine has as many requests as it may have; one that comes later may find room.</summary>
public sealed class EngineBusyException : Exception
{
    internal EngineBusyException(int running, int waiting)
        : base($"The engine is busy: expected at most {running} running and {waiting} waiting requests (MaxSequences, MaxWaiting), found as many.")
    {
    }
}
