using Quilt.Kernels.Devices;

namespace Quilt.Cli.Bench;

/// <summary>Where the time of a step of one case goes.</summary>
/// <param name="Name">The case: <c>prefill 512</c> or <c>decode 8</c>.</param>
/// <param name="Steps">Steps that were watched.</param>
/// <param name="Threads">Threads that could have worked.</param>
/// <param name="Microseconds">A step, choosing tokens included where the case does.</param>
/// <param name="Jobs">Jobs of the pool in a step; at the end of each all threads wait for the last.</param>
/// <param name="Waiting">Time of threads in such jobs without an item, as a share of all threads' time.</param>
/// <param name="Alone">Time of the other threads while one works outside of such jobs, as a share of all threads' time.</param>
/// <param name="Rows">The parts, in the order of a step.</param>
internal sealed record ProfileResult(string Name, int Steps, int Threads, double Microseconds, double Jobs, double Waiting, double Alone,
    IReadOnlyList<ProfileRow> Rows);

/// <summary>A part of a step.</summary>
/// <param name="Part">Which.</param>
/// <param name="Formats">How the weights of a product are stored; else empty.</param>
/// <param name="Calls">A step.</param>
/// <param name="Microseconds">A step, without the parts within it.</param>
/// <param name="Operations">GOP/s; 0 where operations are not counted.</param>
/// <param name="Gigabytes">GB/s of weights or cache; 0 where bytes are not counted.</param>
/// <param name="Jobs">Jobs of the pool a step.</param>
/// <param name="Waiting">As in <see cref="ProfileResult"/>, of the part's time.</param>
/// <param name="Alone">As in <see cref="ProfileResult"/>, of the part's time.</param>
internal sealed record ProfileRow(StepPart Part, string Formats, double Calls, double Microseconds, double Operations, double Gigabytes, double Jobs,
    double Waiting, double Alone)
{
    /// <summary>What people and JSON call it, e.g. <c>write_kv</c>.</summary>
    public string Name => Snake(Part.ToString());

    private static string Snake(string name) =>
        string.Concat(name.Select((letter, i) => char.IsUpper(letter) ? (i > 0 ? "_" : "") + char.ToLowerInvariant(letter) : letter.ToString()));
}
