namespace Quilt.Runtime;

/// <summary>Who is served first.</summary>
public enum SchedulingPolicy
{
    /// <summary>Who came first.</summary>
    FirstCome,

    /// <summary>The most urgent (<see cref="GenerationRequest.Priority"/>); of equals who came first.</summary>
    Priority,
}
