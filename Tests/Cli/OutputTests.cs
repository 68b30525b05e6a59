using System.Text.Json;
using System.Text.Json.Nodes;

namespace Quilt.Tests.Cli;

/// <summary>Replies with a form, and what is cached, as a user of the command line sees them.</summary>
[Parallelizable(ParallelScope.Self)]
public sealed class OutputTests
{
    [Test]
    public async Task A_completion_has_the_form_of_a_schema_a_pattern_a_choice_or_a_grammar()
    {
        const string Digit = """{"type":"object","properties":{"n":{"type":"integer","maximum":9,"minimum":0}},"required":["n"]}""";
        var schema = await Complete("--schema", File("schema.json", Digit));
        Assert.That(JsonNode.Parse(schema)!["n"]!.GetValue<int>(), Is.InRange(0, 9));
        Assert.That(await Complete("--regex", "[0-9]{3}"), Does.Match("^[0-9]{3}$"));
        Assert.That(await Complete("--choice", "up", "--choice", "down"), Is.AnyOf("up", "down"));
        Assert.That(await Complete("--grammar", File("rules.gbnf", "root ::= \"<\" [a-c]+ \">\"")), Does.Match("^<[abc]+>?$"));
        Assert.That(await Complete("--json-object"), Does.StartWith("{"));
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
    public async Task Bench_reads_prompts_that_are_cached()
    {
        string[] little = ["--prompt", "16", "--batch", "1", "--repetitions", "1", "--steps", "2"];
        var run = await QuiltProcess.Run(["bench", "--cached", "64,256", "--json", .. little]);
        Assert.That(run.ExitCode, Is.Zero, run.Errors);
        using var result = JsonDocument.Parse(run.Output);
        var cached = result.RootElement.GetProperty("cached").EnumerateArray().ToArray();
        Assert.That(cached.Select(c => c.GetProperty("tokens").GetInt32()), Is.EqualTo(new[] { 64, 256 }));
        foreach (var c in cached)
            Assert.That(c.GetProperty("found_tokens_per_second").GetDouble(), Is.GreaterThan(c.GetProperty("tokens_per_second").GetDouble()));
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
