namespace Quilt.Quantizer.Verifying;

/// <summary>How many experts are looked at at the same time.</summary>
internal static class Threads
{
    /// <summary>As many as were asked for, or one a core; ends where the check is cancelled.</summary>
    public static ParallelOptions Of(CheckSubject subject) => new()
    {
        MaxDegreeOfParallelism = subject.Options.Threads > 0 ? subject.Options.Threads : Environment.ProcessorCount,
        CancellationToken = subject.Cancel,
    };
}
