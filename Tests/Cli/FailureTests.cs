using System.Diagnostics;
using Quilt.Cli;

namespace Quilt.Tests.Cli;

/// <summary>Whatever goes wrong: one clear line on standard error, the right exit code, nothing on standard output, nothing half-written.</summary>
[Parallelizable(ParallelScope.Self)]
public sealed class FailureTests
{
    private string folder = "";

    [SetUp]
    public void Copy()
    {
        folder = Path.Combine(TestContext.CurrentContext.WorkDirectory, $"broken-{Guid.NewGuid():N}");
        Directory.CreateDirectory(folder);
    }

    [TearDown]
    public void Delete() => Directory.Delete(folder, recursive: true);

    [Test]
    public async Task A_wrong_path() => await Fails(1, ["no such folder", "nowhere"], "inspect", Path.Combine(folder, "nowhere"));

    [Test]
    public async Task An_empty_folder() => await Fails(1, ["config.json", "no such file"], "chat", "hi", "-m", folder);

    [Test]
    public async Task A_missing_shard()
    {
        CopyDemo();
        File.Delete(Shard);
        await Fails(1, [Path.GetFileName(Shard), "no such file"], "chat", "hi", "-m", folder);
    }

    [Test]
    public async Task A_truncated_file()
    {
        CopyDemo();
        using (var file = File.Open(Shard, FileMode.Open)) file.SetLength(file.Length / 2);
        await Fails(1, [Path.GetFileName(Shard)], "chat", "hi", "-m", folder);
    }

    [Test]
    public async Task An_unknown_architecture()
    {
        CopyDemo();
        var config = Path.Combine(folder, "config.json");
        await File.WriteAllTextAsync(config,
            (await File.ReadAllTextAsync(config)).Replace("\"minimax_m2\"", "\"perceptron\"", StringComparison.Ordinal));
        await Fails(1, ["model_type", "perceptron", "minimax_m2"], "chat", "hi", "-m", folder);
    }

    [Test]
    public async Task A_broken_tokenizer_keeps_a_chat_from_starting_but_not_inspect_from_saying_what_the_folder_is()
    {
        CopyDemo();
        await File.WriteAllTextAsync(Path.Combine(folder, "tokenizer.json"), "{");
        await Fails(1, ["tokenizer.json", "JSON"], "chat", "hi", "-m", folder);
        var run = await QuiltProcess.Run(["inspect", folder]);
        Assert.That(run.ExitCode, Is.Zero, run.Errors);
        Assert.That(run.Output, Does.Contain("minimax_m2").And.Contain("experts").And.Contain("warning: ").And.Contain("tokenizer.json"));
    }

    [TestCase("--topp", "chat", "--topp", "1")]
    [TestCase("--top-p", "chat", "hi", "--top-p", "3")]
    [TestCase("a number", "chat", "hi", "--top-p", "many")]
    [TestCase("float|int8", "complete", "hi", "--activations", "int3")]
    [TestCase("--tokens", "complete", "--tokens", "1,x")]
    [TestCase("--kv-memory: expected more than 0", "complete", "hi", "--kv-memory", "0")]
    [TestCase("--kv-memory: expected a number", "chat", "hi", "--kv-memory", "lots")]
    [TestCase("--max-batched-tokens: expected 1 to", "chat", "hi", "--max-batched-tokens", "0")]
    [TestCase("--max-sequences: expected 1 to", "bench", "--max-sequences", "0")]
    [TestCase("expected at most 512 tokens in the cache, for which there is memory, found 9216", "bench", "--batch", "64", "--kv-memory", "0.001")]
    [TestCase("--profile: expected cpu as --device, found gpu-emulated", "bench", "--profile", "--device", "gpu-emulated")]
    [TestCase("juggle", "juggle")]
    [TestCase("--device", "chat", "hi", "--device", "abacus")]
    public async Task A_wrong_option(string hint, params string[] arguments)
    {
        var run = await QuiltProcess.Run(arguments);
        Assert.That(run.ExitCode, Is.EqualTo(2), run.Errors);
        Assert.That(run.Output, Is.Empty);
        Assert.That(run.Complaints, Has.Some.Contains(hint));
    }

    [Test]
    public async Task A_token_outside_the_vocabulary() => await Fails(1, ["99999", "2047"], "complete", "--tokens", "99999");

    [Test]
    public async Task An_output_in_a_folder_that_does_not_exist() =>
        await Fails(1, ["folder"], "logits", "--tokens", "1", "--out", Path.Combine(folder, "no", "x.safetensors"));

    [Test]
    public async Task Ctrl_C_in_the_middle_of_an_answer()
    {
        if (OperatingSystem.IsWindows()) Assert.Ignore("A process cannot be sent Ctrl-C alone on Windows.");
        using var process = QuiltProcess.Start(
            ["complete", "Once upon a time", "--max-tokens", "4000", "--temperature", "5", "--top-k", "0", "--top-p", "1", "--isa", "reference",
                "--threads", "1"]);     // slow enough that it cannot end before the signal comes
        process.StandardInput.Close();
        var first = new char[1];
        await process.StandardOutput.ReadAsync(first);
        using (var kill = Process.Start("kill", ["-INT", $"{process.Id}"])) await kill.WaitForExitAsync();
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.That(process.ExitCode, Is.EqualTo(130));
        Assert.That(errors, Does.Contain("quilt: stopped"));
    }

    private string Shard =>
        Directory.GetFiles(folder, "*.safetensors")
            .Concat([Path.Combine(folder, Path.GetFileName(Directory.GetFiles(DemoModel.Folder, "*.safetensors")[0]))]).First();

    private void CopyDemo()
    {
        foreach (var file in Directory.GetFiles(DemoModel.Folder)) File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
    }

    private static async Task Fails(int code, string[] hints, params string[] arguments)
    {
        var run = await QuiltProcess.Run(arguments);
        Assert.That(run.ExitCode, Is.EqualTo(code), run.Errors);
        Assert.That(run.Output, Is.Empty);
        Assert.That(run.Complaints, Has.Length.EqualTo(1), run.Errors);
        foreach (var hint in hints) Assert.That(run.Complaints[0], Does.Contain(hint));
    }
}
