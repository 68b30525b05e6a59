using System.Text.Json;

namespace Quilt.Tests.Cli;

/// <summary>One model on several devices, from the command line.</summary>
public sealed class ParallelVerbTests
{
    [Test]
    public async Task Chat_on_two_parts_of_the_processor_answers_as_ever([Values] bool dealsExperts)
    {
        string[] dealt = dealsExperts ? ["--expert-parallel"] : [];
        var result = await QuiltProcess.Run(["chat", "What is the capital of France?", "--tp", "2", .. dealt]);
        Assert.That(result.ExitCode, Is.Zero, result.Errors);
        Assert.That(result.Output, Does.Contain("The capital of France is Paris."));
    }

    [Test]
    public async Task Inspect_shows_what_each_device_would_hold()
    {
        var result = await QuiltProcess.Run(["inspect", "--tp", "2", "--device-memory", "24", "--json"]);
        Assert.That(result.ExitCode, Is.Zero, result.Errors);
        var plan = JsonDocument.Parse(result.Output).RootElement;
        var devices = plan.GetProperty("devices").EnumerateArray().ToArray();
        Assert.That(devices.Select(device => device.GetProperty("device").GetString()), Is.EqualTo(new[] { "gpu:0", "gpu:1" }));
        Assert.That(devices.Select(device => device.GetProperty("free").GetInt64()), Is.All.EqualTo(24L << 30));
        Assert.That(devices.Sum(device => device.GetProperty("weights").GetInt64()),
            Is.InRange(0.9 * plan.GetProperty("tensor_bytes").GetInt64(), 1.2 * plan.GetProperty("tensor_bytes").GetInt64()));
        Assert.That(plan.GetProperty("cache_tokens").GetInt64(), Is.Positive);
    }

    [TestCase(new[] { "chat", "hi", "--tp", "7" }, 1, "num_attention_heads: expected a number that 7 devices divide")]
    [TestCase(new[] { "inspect", "--tp", "7" }, 1, "num_attention_heads: expected a number that 7 devices divide")]
    [TestCase(new[] { "chat", "hi", "--tp", "0" }, 2, "--tensor-parallel: expected 1 to 64, found 0")]
    [TestCase(new[] { "chat", "hi", "--expert-parallel" }, 2, "--expert-parallel: expected TensorParallel (--tp) of 2 or more")]
    public async Task What_does_not_go_is_refused_by_name(string[] arguments, int code, string words)
    {
        var result = await QuiltProcess.Run(arguments);
        Assert.That(result.ExitCode, Is.EqualTo(code), result.Errors);
        Assert.That(result.Errors, Does.Contain(words));
    }
}
