using System.Text.Json.Nodes;
using Quilt.Cli.Bench;
using Quilt.Kernels.Ops;
using Quilt.Runtime;
using Quilt.Runtime.Execution;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Models;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Cli;

/// <summary>Replies with a form, and what is cached, as a user of the command line sees them.</summary>
[Parallelizable(ParallelScope.Self)]
public sealed class OutputTests
{
    [Test]
    public async Task A_completion_has_the_form_of_a_schema_a_choice_or_a_grammar()
    {
        const string Digit = """{"type":"object","properties":{"n":{"type":"integer","maximum":9,"minimum":0}},"required":["n"]}""";
        var schema = await Complete("--schema", File("schema.json", Digit));
        Assert.That(JsonNode.Parse(schema)!["n"]!.GetValue<int>(), Is.InRange(0, 9));
        Assert.That(await Complete("--choice", "up", "--choice", "down"), Is.AnyOf("up", "down"));
        Assert.That(await Complete("--grammar", File("rules.gbnf", "root ::= \"<\" [a-c]+ \">\"")), Does.Match("^<[abc]+>?$"));
    }

    [Test]
    public async Task A_form_that_is_none_is_refused_in_one_line()
    {
        var bad = File("bad.json", """{"type":"object","properties":{"n":{"type":"nonsense"}}}""");
        var run = await QuiltProcess.Run(["complete", "x", "--schema", bad]);
        Assert.That((run.ExitCode, run.Complaints.Length), Is.EqualTo((1, 1)), run.Errors);
        Assert.That(run.Errors, Does.Contain("/properties/n/type"));
        var two = await QuiltProcess.Run(["complete", "x", "--regex", "a", "--choice", "b"]);
        Assert.That(two.ExitCode, Is.EqualTo(2), two.Errors);
        Assert.That(two.Errors, Does.Contain("expected one of them at most"));
    }

    [Test]
    public async Task Later_turns_of_a_conversation_read_the_earlier_ones_from_the_cache()
    {
        var system = string.Join(' ', Enumerable.Range(0, 40).Select(i => $"Rule {i} is to be kind."));
        var run = await QuiltProcess.Run(["chat", "--max-tokens", "8", "--greedy", "--system", system], "Hello\nAnd again\n"u8.ToArray());
        Assert.That(run.ExitCode, Is.Zero, run.Errors);
        Assert.That(run.Errors.Split('\n').Count(line => line.StartsWith("prompt ", StringComparison.Ordinal)), Is.EqualTo(2));
        Assert.That(run.Errors.Split('\n').Count(line => line.Contains(" cached), ", StringComparison.Ordinal)), Is.EqualTo(1));
    }

    [Test]
    public void Bench_reads_prompts_that_are_cached()
    {
        using var folder = new TinyFolder();
        using var model = LoadedModel.Open(folder.Path, new EngineOptions { Threads = 1 }, null, default);
        using var executor = new Executor(model.Decoder, model.Device, new KvLayout(20, 16, KvType.Float32));
        var runner = new CachedRunner(executor);
        foreach (var tokens in new[] { 17, 64, 200, 255 })
        {
            var (find, read) = runner.Run(tokens);
            Assert.That(find, Is.GreaterThan(0));
            Assert.That(read, Is.GreaterThan(find));
        }
        Assert.That(() => runner.Run(21 * 16), Throws.InvalidOperationException, "more than the cache holds");
    }

    private static async Task<string> Complete(params string[] form)
    {
        var run = await QuiltProcess.Run(["complete", "Once", "--max-tokens", "60", "--seed", "3", .. form]);
        Assert.That(run.ExitCode, Is.Zero, run.Errors);
        return run.Output.TrimEnd('\n');
    }

    private static string File(string name, string text)
    {
        var path = Path.Combine(TestContext.CurrentContext.WorkDirectory, $"{Guid.NewGuid():N}-{name}");
        System.IO.File.WriteAllText(path, text);
        return path;
    }
}
