using System.Reflection;
using System.Text.Json;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Running;

namespace Quilt.Perf;

/// <summary>
/// What may be asserted of a benchmark: the bytes it allocates. Operations, weights, steps of the scheduler and the sampler allocate nothing; what
/// may allocate, and how much at most, is written in Baselines/allocations.json (the scheduler's bench lets its sequences grow). Every case runs a
/// few times in this process, untimed: times go to people, never to the gate. The last line is <c>N cases, N allocate too much</c>.
/// </summary>
internal static class Gate
{
    private static readonly string[] MustNotAllocate = ["Quilt.Perf.Kernels", "Quilt.Perf.Runtime.S"];

    private static readonly Dictionary<string, long> Allowed = JsonSerializer.Deserialize<Dictionary<string, long>>(
        File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Baselines", "allocations.json")))!;

    /// <summary>Runs the benchmarks that have a limit and prints every case above it; the process's exit code.</summary>
    public static int Run()
    {
        BenchmarkCase[] cases =
        [
            .. typeof(Gate).Assembly.GetTypes().Where(HasLimit).OrderBy(type => type.FullName, StringComparer.Ordinal)
                .SelectMany(type => BenchmarkConverter.TypeToBenchmarks(type, ManualConfig.CreateEmpty()).BenchmarksCases),
        ];
        var failures = cases.Count(Fails);
        Console.Out.WriteLine($"{cases.Length} cases, {failures} allocate too much");
        return cases.Length > 0 && failures == 0 ? 0 : 1;
    }

    private static bool HasLimit(Type type) =>
        !type.IsAbstract && MustNotAllocate.Any(prefix => type.FullName!.StartsWith(prefix, StringComparison.Ordinal))
        && type.GetMethods().Any(method => method.IsDefined(typeof(BenchmarkDotNet.Attributes.BenchmarkAttribute), inherit: true));

    private static bool Fails(BenchmarkCase @case)
    {
        var name = $"{@case.Descriptor.Type.Name}.{@case.Descriptor.WorkloadMethod.Name}";
        var (found, most) = (Bytes(@case), Allowed.GetValueOrDefault(name));
        if (found <= most) return false;
        Console.Error.WriteLine($"{name} {@case.Parameters.DisplayInfo}: expected at most {most} bytes an operation, found {found}");
        return true;
    }

    /// <summary>
    /// Bytes an operation, the fewest of five runs: the runtime's own threads allocate now and then, what the operation allocates it allocates in
    /// each. Three runs before build what a first run builds and what a second lets grow.
    /// </summary>
    private static long Bytes(BenchmarkCase @case)
    {
        var (bench, described) = (Activator.CreateInstance(@case.Descriptor.Type)!, @case.Descriptor);
        foreach (var parameter in @case.Parameters.Items) described.Type.GetProperty(parameter.Name)!.SetValue(bench, parameter.Value);
        var run = described.WorkloadMethod.CreateDelegate<Action>(bench);
        var fewest = long.MaxValue;
        Call(described.GlobalSetupMethod, bench);
        try
        {
            for (var i = 0; i < 8; i++)
            {
                Call(described.IterationSetupMethod, bench);
                var before = GC.GetTotalAllocatedBytes(precise: true);
                run();
                var bytes = GC.GetTotalAllocatedBytes(precise: true) - before;
                if (i >= 3) fewest = Math.Min(fewest, bytes);
                Call(described.IterationCleanupMethod, bench);
            }
        }
        finally
        {
            Call(described.GlobalCleanupMethod, bench);
        }
        return fewest / described.OperationsPerInvoke;
    }

    private static void Call(MethodInfo? method, object bench) => method?.Invoke(bench, null);
}
