using System.Text.Json;

namespace Quilt.Tests.Cli;

/// <summary>A fresh process: what its first reply needs is compiled before the first step, or in it.</summary>
public sealed class BenchStartTests
{
    // What a step compiles later than in the first: the growth of lists, the end of the reply, and what the runtime compiles anew in the background
    // by its own clock (17 on a quiet machine, 53 on a busy one). Without a warm-up it is hundreds.
    private const int FewMethods = 120;

    [Test]
    public async Task Compiles_next_to_nothing_from_the_second_step_on()
    {
        var report = await Report("--threads", "1");
        Assert.That(report.GetProperty("methods_compiled_later").GetDouble(), Is.InRange(0, FewMethods));
    }

    [Test]
    public async Task Reports_the_median_of_the_processes_it_starts()
    {
        var report = await Report("--runs", "2");
        Assert.That(report.GetProperty("runs").GetInt32(), Is.EqualTo(2));
        foreach (var name in new[] { "first_token_ms", "second_step_tokens_per_second", "tenth_step_tokens_per_second", "reply_tokens_per_second" })
            Assert.That(report.GetProperty(name).GetDouble(), Is.Positive, name);
    }

    [Test]
    public async Task What_a_process_fails_with_is_told_in_its_words()
    {
        var result = await QuiltProcess.Run(["bench", "start", "--runs", "1", "-m", "/no/such/model"]);
        Assert.That((result.ExitCode, result.Complaints), Is.EqualTo((1, new[] { "quilt: /no/such/model: no such folder" })));
    }

    private static async Task<JsonElement> Report(params string[] more)
    {
        var result = await QuiltProcess.Run(["bench", "start", "--json", .. more.Contains("--runs") ? more : ["--runs", "1", .. more]]);
        Assert.That(result.ExitCode, Is.Zero, result.Errors);
        using var document = JsonDocument.Parse(result.Output);
        return document.RootElement.Clone();
    }
}
