using System.CommandLine;
using Quilt.Cli.Simulate;
using Quilt.Cluster.Routing;
using Quilt.Cluster.Simulation;

namespace Quilt.Cli.Verbs;

/// <summary><c>simulate</c>: what a cluster would do with a trace, in virtual time; or a trace.</summary>
internal static class SimulateVerb
{
    public static Command Create()
    {
        var cluster = new Argument<string?>("CLUSTER")
        { Description = "What the cluster is like: a YAML file.", Arity = ArgumentArity.ZeroOrOne };
        var trace = new Argument<string?>("TRACE")
        { Description = "What is asked of it: a file of JSON lines.", Arity = ArgumentArity.ZeroOrOne };
        var generate = new Option<string>("--generate")
        { Description = "Make a trace. With CLUSTER it is run, else printed.", HelpName = string.Join('|', TraceGenerator.Kinds) };
        var rate = TypedOption.Real("--rate", "With --generate: requests a second; default 10.");
        var requests = TypedOption.Whole("--requests", "With --generate: how many; default 1000.");
        var seed = TypedOption.Whole("--seed", "With --generate: what chance follows from; default 0.");
        var policy = new Option<string>("--policy")
        {
            Description = $"Policies to compare: {string.Join(", ", RoutingPolicies.Names)}.",
            HelpName = "NAME,NAME",
            DefaultValueFactory = _ => "prefix,roundrobin",
        };
        var replicas = TypedOption.Whole("--replicas", "In the place of the file's number.");
        var json = new Option<bool>("--json") { Description = "Print one JSON document." };
        var command = new Command("simulate", "Replays a trace in a simulated cluster, with the real router and schedulers, in virtual time.")
        { cluster, trace, generate, rate, requests, seed, policy, replicas, json };

        command.SetAction((parsed, cancel) => Task.FromResult(Usage.Of(() =>
        {
            var (file, lines) = (parsed.GetValue(cluster), parsed.GetValue(trace));
            var made = parsed.GetValue(generate) is { } kind
                ? new TraceGenerator(parsed.GetValue(rate) ?? 10, parsed.GetValue(seed) ?? 0).Generate(kind, parsed.GetValue(requests) ?? 1000)
                : null;
            if (made is not null && lines is not null) throw new UsageException("expected TRACE or --generate, found both");
            if (made is not null && file is null)
            {
                using var output = new StreamWriter(Console.OpenStandardOutput());
                TraceFile.Write(made, output);
                return 0;
            }
            if (file is null || (lines is null && made is null)) throw new UsageException("expected CLUSTER and TRACE, or --generate, found neither");
            string[] names = [.. parsed.GetValue(policy)!.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)];
            foreach (var name in names) RoutingPolicies.Named(name);
            var spec = ClusterFile.Read(file);
            if (parsed.GetValue(replicas) is { } count) spec = spec with { Replicas = count };
            var asked = made is not null ? [.. made] : Read(lines!);
            SimulationResult[] results = [.. names.Select(name => Simulation.Run(spec, asked, name, cancel))];
            if (parsed.GetValue(json)) SimulationReport.PrintJson(results, spec.Replicas);
            else SimulationReport.Print(results);
            return 0;
        })));
        return command;
    }

    private static List<TraceRequest> Read(string path)
    {
        using var from = new StreamReader(path);
        return TraceFile.Read(from, path);
    }
}
