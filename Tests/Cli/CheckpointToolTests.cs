using System.Text.Json;
using Quilt.Tests.Quantizer;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Cli;

/// <summary>stitch, repair-router and verify as a user runs them: one after another, from two published checkpoints to one that passes.</summary>
[Parallelizable(ParallelScope.Self)]
public sealed class CheckpointToolTests
{
    private TemporaryFolder work = null!;

    [OneTimeSetUp]
    public void Write()
    {
        work = new TemporaryFolder();
        SmoothedPair.Write(work.Path);
    }

    [OneTimeTearDown]
    public void Delete() => work.Dispose();

    [Test]
    public async Task From_two_checkpoints_to_one_that_passes()
    {
        var stitched = await QuiltProcess.Run(["stitch", work.Below("official"), work.Below("awq"), work.Below("out")]);
        Assert.That((stitched.ExitCode, stitched.Output), Is.EqualTo((0, work.Below("out") + "\n")), stitched.Errors);
        Assert.That(stitched.Errors, Does.Contain("quilt: warning: routers: ").And.Contain("layer 1: |log2 s| at most "));

        var verified = await QuiltProcess.Run(["verify", work.Below("out"), "--against", work.Below("official")]);
        Assert.That(verified.ExitCode, Is.EqualTo(1));
        Assert.That(verified.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries), Has.Length.EqualTo(12));
        Assert.That(verified.Output, Does.Contain("\nfail     8 router-compensation: "));

        var repaired = await QuiltProcess.Run(
            ["repair-router", work.Below("official"), work.Below("out"), work.Below("mended"), "--tokens", "5,6,7,8,9,10,11,12", "--json"]);
        Assert.That(repaired.ExitCode, Is.Zero, repaired.Errors);
        using var repair = JsonDocument.Parse(repaired.Output);
        Assert.That(repair.RootElement.GetProperty("repaired").GetInt32(), Is.EqualTo(SmoothedPair.Layers));
        foreach (var layer in repair.RootElement.GetProperty("layers").EnumerateArray())
        {
            Assert.That(layer.GetProperty("router").GetString(), Is.EqualTo("mended"));
            Assert.That(layer.GetProperty("max_abs_log2_s").GetDouble(), Is.GreaterThan(0.5));
            Assert.That(layer.GetProperty("same_input").GetProperty("repaired").GetProperty("overlap").GetDouble(), Is.EqualTo(1));
        }

        verified = await QuiltProcess.Run(["verify", work.Below("mended"), "--against", work.Below("official"), "--json"]);
        Assert.That(verified.ExitCode, Is.Zero, verified.Output);
        using var json = JsonDocument.Parse(verified.Output);
        var checks = json.RootElement.GetProperty("checks").EnumerateArray().ToArray();
        Assert.That(checks.Select(check => check.GetProperty("id").GetInt32()), Is.EqualTo(Enumerable.Range(1, 12)));
        Assert.That(checks.Select(check => check.GetProperty("status").GetString()), Is.All.EqualTo("ok"));
        Assert.That(checks[0].EnumerateObject().Select(property => property.Name), Is.EqualTo(new[] { "id", "name", "status", "detail" }));

        var again = await QuiltProcess.Run(["repair-router", work.Below("official"), work.Below("mended"), work.Below("again"), "--copy"]);
        Assert.That(again.ExitCode, Is.Zero);
        Assert.That(again.Errors, Does.Contain("nothing to mend: OUT is the published checkpoint"));
    }

    [Test]
    public async Task The_demo_model_passes()
    {
        var run = await QuiltProcess.Run(["verify", "--json"]);
        Assert.That(run.ExitCode, Is.Zero, run.Output);
        Assert.That(run.Output, Does.Not.Contain("\"warn\"").And.Not.Contain("\"fail\""));
    }

    [Test]
    public async Task A_pair_that_does_not_fit_is_one_line_and_leaves_nothing()
    {
        var run = await QuiltProcess.Run(["stitch", work.Below("awq"), work.Below("official"), work.Below("wrong")]);
        Assert.That((run.ExitCode, run.Output), Is.EqualTo((1, "")));
        Assert.That(run.Complaints, Has.Length.EqualTo(1));
        Assert.That(run.Complaints[0], Does.Contain(": expected "));
        Assert.That(work.Names, Has.None.StartsWith("wrong"));
    }

    [Test]
    public async Task A_prompt_that_is_not_of_the_vocabulary_is_told_before_anything_is_written()
    {
        var run = await QuiltProcess.Run(["repair-router", work.Below("official"), work.Below("awq"), work.Below("never"), "--tokens", "100000"]);
        Assert.That(run.ExitCode, Is.EqualTo(1));
        Assert.That(run.Complaints, Is.EqualTo(new[] { "quilt: prompt: expected token ids from 0 to 199, found 100000" }));
        Assert.That(work.Names, Has.None.StartsWith("never"));
    }

    [Test]
    public async Task A_folder_that_is_not_there_is_told()
    {
        var run = await QuiltProcess.Run(["verify", work.Below("nowhere")]);
        Assert.That(run.ExitCode, Is.EqualTo(1));
        Assert.That(run.Complaints, Has.Length.EqualTo(1));
    }
}
