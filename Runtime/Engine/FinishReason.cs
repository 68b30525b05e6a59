namespace Quilt.Runtime;

/// <summary>Why a generation ended.</summary>
public enum FinishReason
{
    /// <summary>The model said so, or a stop token or stop text came.</summary>
    Stop,

    /// <summary>It reached its longest length.</summary>
    Length,

    /// <summary>The caller gave up, or the engine was disposed of.</summary>
    Cancelled,

    /// <summary>Something failed: <see cref="GenerationEnd.Error"/> says what.</summary>
    Error,

    /// <summary>It ran in circles (<see cref="Sampling.SamplingOptions.RepetitionGuard"/>).</summary>
    Repetition,

    /// <summary>
    /// Its time was up: it waited longer than <see cref="EngineOptions.MaxWaitingTime"/>, or ran into <see cref="GenerationRequest.Deadline"/>.
    /// </summary>
    Timeout,
}
