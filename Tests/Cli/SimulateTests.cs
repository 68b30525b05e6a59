using System.Text.Json;
using Quilt.Cli.Simulate;
using Quilt.Formats;
using Quilt.Quantizer.Yaml;

namespace Quilt.Tests.Cli;

/// <summary><c>quilt simulate</c>: a trace made, a cluster read, a table or JSON printed, and what is wrong told.</summary>
[Parallelizable(ParallelScope.Self)]
public sealed class SimulateTests
{
    private const string Cluster = """
        replicas: 2
        max_num_seqs: 8
        kv_tokens: 32768
        price_per_hour: 4.5
        cost:
          prefill: [{tokens: 512, tokens_per_second: 5000}]
          decode: [{sequences: 1, tokens_per_second: 100}, {sequences: 8, tokens_per_second: 500}]
        """;

    private string folder = null!;

    [OneTimeSetUp]
    public void Begin() => folder = Directory.CreateTempSubdirectory("quilt-simulate-").FullName;

    [OneTimeTearDown]
    public void End() => Directory.Delete(folder, recursive: true);

    [Test]
    public async Task A_made_trace_is_replayed_policy_by_policy()
    {
        var (cluster, trace) = (Write("cluster.yaml", Cluster), Path.Combine(folder, "trace.jsonl"));
        var made = await QuiltProcess.Run(["simulate", "--generate", "chat", "--rate", "4", "--requests", "40", "--seed", "5"]);
        Assert.That(made.ExitCode, Is.Zero, made.Errors);
        await File.WriteAllTextAsync(trace, made.Output);
        var run = await QuiltProcess.Run(["simulate", cluster, trace, "--policy", "prefix,roundrobin", "--json"]);
        Assert.That(run.ExitCode, Is.Zero, run.Errors);
        using var document = JsonDocument.Parse(run.Output);
        var policies = document.RootElement.GetProperty("policies").EnumerateArray().ToArray();
        Assert.That(policies.Select(one => one.GetProperty("policy").GetString()), Is.EqualTo(["prefix", "roundrobin"]));
        Assert.That(policies.Select(one => one.GetProperty("requests").GetInt32()), Is.All.EqualTo(40));
        Assert.That(policies.Select(one => one.GetProperty("cost_per_million_tokens").GetDouble()), Is.All.Positive);
        var table = await QuiltProcess.Run(["simulate", cluster, trace, "--replicas", "1"]);
        Assert.That(table.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries), Has.Length.EqualTo(3));
    }

    [Test]
    public async Task What_is_wrong_is_one_line()
    {
        var cluster = Write("bad.yaml", Cluster + "\nprice: 3\n");
        var run = await QuiltProcess.Run(["simulate", cluster, "--generate", "rag"]);
        Assert.That(run.ExitCode, Is.EqualTo(1));
        Assert.That(run.Complaints, Has.Length.EqualTo(1).And.Some.Contains("bad.yaml: price (line 8): expected replicas,"));
        var nameless = await QuiltProcess.Run(["simulate", Write("good.yaml", Cluster), "--generate", "rag", "--policy", "nearest"]);
        Assert.That((nameless.ExitCode, nameless.Output), Is.EqualTo((2, "")));
        Assert.That(nameless.Complaints, Has.Some.Contains("'nearest'"));
        Assert.That((await QuiltProcess.Run(["simulate"])).ExitCode, Is.EqualTo(2));
    }

    [TestCase("kv_tokens: 32768", "kv_tokens: lots",
        "c.yaml: kv_tokens (line 3): expected a whole number from 1 to 268435456, found the text \"lots\"")]
    [TestCase("tokens_per_second: 5000", "tokens_per_second: 0", "c.yaml: cost: prefill: expected a size of at least 1 and a speed above 0")]
    [TestCase("  decode:", "  decoding:", "c.yaml: cost.decoding (line 7): expected prefill, decode or found_tokens_per_second")]
    [TestCase("replicas: 2", "replicas: 2\nbench: b.json", "c.yaml: cost (line 7): expected cost or bench, found both")]
    [TestCase("replicas: 2", "replicas: 2\nrouting: {luck: 1}", "c.yaml: routing.luck (line 2): expected sequence_tokens")]
    [TestCase("max_num_seqs: 8", "max_num_seqs: 9000", "c.yaml: BatchedTokens: expected 9000 to 16777216, found 8192")]
    public void A_cluster_that_is_none_is_told_by_key_and_line(string from, string to, string message) =>
        Assert.That(() => ClusterFile.Of(YamlNode.Parse(Cluster.Replace(from, to, StringComparison.Ordinal), "c.yaml")),
            Throws.TypeOf<BadInputException>().With.Message.StartsWith(message));

    [Test]
    public void Speeds_come_from_what_bench_printed()
    {
        Write("bench.json", """
            {"prefill":[{"tokens":512,"tokens_per_second":1024.0}],"cached":[{"tokens":64,"tokens_per_second":9,"found_tokens_per_second":640}],
             "decode":[{"sequences":1,"context":128,"tokens_per_second":10}]}
            """);
        var spec = ClusterFile.Read(Write("by-bench.yaml", "bench: bench.json\n"));
        Assert.That(spec.Cost.Step(512, 1, 64), Is.EqualTo(0.5 + 0.1 + 0.1).Within(1e-9));
        Write("bench2.json", """{"prefill":[{"tokens":512}],"decode":[]}""");
        Assert.That(() => ClusterFile.Read(Write("by-bench2.yaml", "bench: bench2.json\n")),
            Throws.TypeOf<BadInputException>().With.Message.Contains("bench2.json: prefill[0].tokens_per_second: expected a number above 0"));
    }

    private string Write(string name, string text)
    {
        var path = Path.Combine(folder, name);
        File.WriteAllText(path, text);
        return path;
    }
}
