using System.Text.Json;
using Quilt.Cli;
using Quilt.Tests.Cli;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Quantizer.Quality;

/// <summary><c>quilt quality</c> as a process.</summary>
[Parallelizable(ParallelScope.Self)]
public sealed class QualityVerbTests
{
    [Test]
    public async Task A_model_against_itself_is_one_document_of_perfect_figures()
    {
        var run = await QuiltProcess.Run(["quality", DemoModel.Folder, "--against", DemoModel.Folder, "--max-tokens", "120", "--json"]);
        Assert.That(run.ExitCode, Is.Zero, run.Errors);
        using var json = JsonDocument.Parse(run.Output);
        var root = json.RootElement;
        Assert.That(root.EnumerateObject().Select(p => p.Name), Is.EqualTo(new[]
        {
            "model", "official", "samples", "tokens", "kl", "top1_agreement", "top1_probability", "perplexity", "router", "layers", "warnings",
            "seconds",
        }));
        Assert.That(root.GetProperty("tokens").GetInt32(), Is.EqualTo(120));
        Assert.That(root.GetProperty("kl").GetRawText(), Is.EqualTo("""{"mean":0,"median":0,"p99":0,"max":0}"""));
        Assert.That(root.GetProperty("router").GetRawText(),
            Is.EqualTo("""{"same_input":{"overlap":1,"same_set":1},"whole_model":{"overlap":1,"same_set":1}}"""));
        Assert.That(root.GetProperty("layers").GetArrayLength(), Is.EqualTo(4));
    }

    [Test]
    public async Task Figures_are_printed_for_people_too()
    {
        var run = await QuiltProcess.Run(["quality", DemoModel.Folder, "--against", DemoModel.Folder, "--max-tokens", "120", "--layers"]);
        Assert.That(run.Output, Does.StartWith("compared on   120 tokens, 1 sample\ndivergence    0.000000 nats a token"), run.Errors);
        Assert.That(run.Output, Does.Contain("100.00% of tokens").And.Contain("stream error"));
    }

    [Test]
    public async Task Models_that_differ_in_size_are_a_failure_of_one_line()
    {
        using var tiny = new TinyFolder(tokenizer: true);
        var run = await QuiltProcess.Run(["quality", tiny.Path, "--against", DemoModel.Folder]);
        Assert.That((run.ExitCode, run.Output), Is.EqualTo((1, "")));
        Assert.That(run.Complaints, Has.Length.EqualTo(1));
        Assert.That(run.Complaints[0], Does.Contain("num_hidden_layers: expected 4, as the official model has, found 2"));
    }

    [TestCase("quality", "x")]
    [TestCase("quality", "x", "--against", "y", "--text", "a", "--tokens", "b")]
    [TestCase("quality", "x", "--against", "y", "--max-tokens", "0")]
    [TestCase("quality", "x", "--against", "y", "--threads", "-1")]
    public async Task Wrong_usage_is_told(params string[] arguments)
    {
        var run = await QuiltProcess.Run(arguments);
        Assert.That((run.ExitCode, run.Output), Is.EqualTo((2, "")), run.Errors);
        Assert.That(run.Complaints, Is.Not.Empty);
    }
}
