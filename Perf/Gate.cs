using System.Text.Json;
using BenchmarkDotNet.Reports;

namespace Quilt.Perf;

/// <summary>
/// What may be asserted of a benchmark: the bytes it allocates. Operations, weights, steps of the scheduler and the sampler allocate nothing; what
/// may allocate, and how much at most, is written in Baselines/allocations.json (the scheduler's bench lets its sequences grow). Times go to people,
/// never to the gate.
/// </summary>
internal static class Gate
{
    private static readonly string[] MustNotAllocate = ["Quilt.Perf.Kernels", "Quilt.Perf.Runtime.S"];

    /// <summary>Prints every benchmark that allocates more than it may; returns how many.</summary>
    public static int Check(IEnumerable<Summary> summaries)
    {
        var allowed = JsonSerializer.Deserialize<Dictionary<string, long>>(
            File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Baselines", "allocations.json")))!;
        var failures = 0;
        foreach (var report in summaries.SelectMany(summary => summary.Reports))
        {
            var bench = report.BenchmarkCase.Descriptor;
            var name = $"{bench.Type.Name}.{bench.WorkloadMethod.Name}";
            var most = allowed.TryGetValue(name, out var bytes) ? bytes
                : MustNotAllocate.Any(prefix => bench.Type.FullName!.StartsWith(prefix, StringComparison.Ordinal)) ? 0
                : long.MaxValue;
            if (report.GcStats.GetBytesAllocatedPerOperation(report.BenchmarkCase) is not { } found || found <= most) continue;
            Console.Error.WriteLine(
                $"{name} {report.BenchmarkCase.Parameters.DisplayInfo}: expected at most {most} bytes an operation, found {found}");
            failures++;
        }
        return failures;
    }
}
