using System.CommandLine;
using System.Net;
using Quilt.Cluster;

namespace Quilt.Cli.Serve;

/// <summary>How a server takes part in a cluster (docs/cluster.md).</summary>
internal sealed class ClusterFlags
{
    private const string KeyVariable = "QUILT_CLUSTER_KEY";

    private readonly Option<string?> name = Text("--cluster", "Answer as one of a cluster of this name.", "NAME");
    private readonly Option<string?> node = Text("--node-name", "This process's name in the cluster.", "NAME");
    private readonly Option<string?> join = Text(
        "--join", "A process of the cluster that keeps the list of members; left out: this one does.", "HOST:PORT");
    private readonly Option<string?> redis = Text("--cluster-redis", "Redis keeps the list of members, in the place of a process.", "CONNECTION");
    private readonly Option<string?> host = Text("--cluster-host", "Address for the others of the cluster; 127.0.0.1.", "ADDRESS");
    private readonly Option<int?> port = TypedOption.Whole("--cluster-port", "Port for the others of the cluster; 0: a free one, the default.");
    private readonly Option<string?> key = Text("--cluster-key", $"What all of the cluster know and nobody else. Also {KeyVariable}.", "KEY");
    private readonly Option<ClusterRole?> role = TypedOption.OneOf<ClusterRole>("--role",
        "Prompts and replies (both), prompts alone, replies alone.");
    private readonly Option<string?> policy = Text("--routing-logic", "By what a replica is chosen.", string.Join('|', ClusterOptions.Policies));
    private readonly Option<bool> resume = new("--cluster-resume") { Description = "A reply whose replica is lost goes on at another." };

    private Option[] All => [name, node, join, redis, host, port, key, role, policy, resume];

    /// <summary>Adds all of them.</summary>
    public ClusterFlags AddTo(Command command)
    {
        foreach (var option in All) command.Options.Add(option);
        return this;
    }

    /// <summary>What was asked for; null: no cluster.</summary>
    /// <exception cref="UsageException">A value is none, or there is no cluster that it is about.</exception>
    public Action<ClusterOptions>? Read(ParseResult parsed)
    {
        if (parsed.GetValue(name) is not { } cluster)
        {
            return Array.Find(All, option => parsed.GetResult(option) is { Implicit: false }) is { } idle
                ? throw new UsageException($"{idle.Name}: expected --cluster beside it, found none")
                : null;
        }
        var address = parsed.GetValue(host) is { } text
            ? IPAddress.TryParse(text, out var ip) ? ip : throw new UsageException($"--cluster-host: expected an IP address, found '{text}'")
            : IPAddress.Loopback;
        Action<ClusterOptions> configure = options =>
        {
            (options.Name, options.NodeName, options.Join, options.Redis) =
                (cluster, parsed.GetValue(node), parsed.GetValue(join), parsed.GetValue(redis));
            (options.Address, options.Port) = (address, parsed.GetValue(port) ?? 0);
            options.Key = (parsed.GetValue(key) ?? Environment.GetEnvironmentVariable(KeyVariable)) is { Length: > 0 } given ? given : null;
            (options.Role, options.Resume) = (parsed.GetValue(role) ?? ClusterRole.Both, parsed.GetValue(resume));
            options.Policy = parsed.GetValue(policy) ?? options.Policy;
        };
        // What is wrong with them is wrong usage, and found before anything is loaded.
        Usage.Of(() =>
        {
            var options = new ClusterOptions();
            configure(options);
            options.Validate();
            return true;
        });
        return configure;
    }

    private static Option<string?> Text(string name, string description, string help) => new(name) { Description = description, HelpName = help };
}
