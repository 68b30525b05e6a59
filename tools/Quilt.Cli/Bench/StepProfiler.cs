using System.Diagnostics;
using Quilt.Kernels.Devices;
using Quilt.Runtime.Execution;
using Quilt.Runtime.Models;

namespace Quilt.Cli.Bench;

/// <summary>
/// Profiles the cases of a bench once its speeds are measured: each case runs as often as there are repetitions, and the fastest of them counts, the
/// one that had the machine most to itself.
/// </summary>
internal sealed class StepProfiler(Executor executor, CpuDevice device, DecoderWeights weights)
{
    private readonly Dictionary<Kernels.Weights.Weight, StepPart> parts = WeightParts.Of(weights);

    /// <summary>The profile of a case.</summary>
    /// <param name="name">What the case is, e.g. <c>prefill 512</c>.</param>
    /// <param name="repetitions">How often it runs.</param>
    /// <param name="run">Runs it; steps that it gives the profile to are watched.</param>
    public ProfileResult Run(string name, int repetitions, Action<StepProfile> run)
    {
        var profile = new StepProfile(device.Pool.Threads, parts);
        ProfileResult? fastest = null;
        for (var i = 0; i < repetitions; i++)
        {
            profile.Clear();
            run(profile);
            var found = Result(name, profile);
            if (fastest is null || found.Microseconds < fastest.Microseconds) fastest = found;
        }
        executor.Profile = null;
        return fastest!;
    }

    private ProfileResult Result(string name, StepProfile profile)
    {
        var (steps, threads) = (profile.Steps, profile.Threads);
        var rows = new List<ProfileRow>();
        for (var i = 0; i < profile.Totals.Length; i++)
        {
            var total = profile.Totals[i];
            if (total.Ticks == 0) continue;
            var seconds = total.Ticks / (double)Stopwatch.Frequency;
            rows.Add(new((StepPart)i, Formats((StepPart)i), total.Calls / (double)steps, seconds * 1e6 / steps, total.Operations / seconds / 1e9,
                total.Bytes / seconds / 1e9, total.Jobs / (double)steps, Share(threads * total.JobTicks - total.ItemTicks, threads * total.Ticks),
                Share((threads - 1) * (total.Ticks - total.JobTicks), threads * total.Ticks)));
        }
        var micros = rows.Sum(row => row.Microseconds);
        return new(name, steps, threads, micros, rows.Sum(row => row.Jobs), rows.Sum(row => row.Waiting * row.Microseconds) / micros,
            rows.Sum(row => row.Alone * row.Microseconds) / micros, rows);
    }

    // A layer or two may be in another format than the rest.
    private string Formats(StepPart part) =>
        string.Join(" + ", parts.Where(weight => weight.Value == part).Select(weight => weight.Key.Format).Distinct());

    private static double Share(double part, double whole) => whole > 0 ? Math.Max(0, part / whole) : 0;
}
