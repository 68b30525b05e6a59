using System.Text.Json;
using Quilt.Tests.Quantizer;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Cli;

/// <summary>pack as a user runs it, and the verbs that take its result.</summary>
[Parallelizable(ParallelScope.Self)]
public sealed class PackTests
{
    [Test]
    public async Task Packs_a_model_that_other_verbs_take_and_finds_what_is_damaged()
    {
        using var work = new TemporaryFolder();
        TinyMiniMax.Write(work.Below("model"), tokenizer: true);
        var packed = await QuiltProcess.Run(["pack", work.Below("model"), work.Below("out")]);
        Assert.That((packed.ExitCode, packed.Output), Is.EqualTo((0, work.Below("out") + "\n")), packed.Errors);

        var inspected = await QuiltProcess.Run(["inspect", work.Below("out"), "--json"]);
        using var json = JsonDocument.Parse(inspected.Output);
        Assert.That(json.RootElement.GetProperty("schemes").EnumerateObject().Select(scheme => scheme.Name), Does.Contain("tiles of int4 g32"));
        Assert.That(json.RootElement.GetProperty("warnings").GetArrayLength(), Is.Zero, inspected.Output);

        // Two processes on one folder at once.
        string[] Arguments(string folder, string to) => ["logits", "--model", work.Below(folder), "--tokens", "5,6,7,8", "--out", work.Below(to)];
        var both = await Task.WhenAll(QuiltProcess.Run(Arguments("out", "a")), QuiltProcess.Run(Arguments("out", "b")),
            QuiltProcess.Run(Arguments("model", "c")));
        Assert.That(both.Select(run => run.ExitCode), Is.All.Zero, both[0].Errors);
        Assert.That(File.ReadAllBytes(work.Below("a")), Is.EqualTo(File.ReadAllBytes(work.Below("c"))));
        Assert.That(File.ReadAllBytes(work.Below("b")), Is.EqualTo(File.ReadAllBytes(work.Below("c"))));

        var whole = await QuiltProcess.Run(["pack", "--check", work.Below("out")]);
        Assert.That((whole.ExitCode, whole.Output.Split('\n')[0]), Is.EqualTo((0, "ok       model-00001-of-00004.safetensors")), whole.Errors);
        var file = work.Below(Path.Combine("out", "model-00002-of-00004.safetensors"));
        var bytes = File.ReadAllBytes(file);
        bytes[^1] ^= 1;
        File.WriteAllBytes(file, bytes);
        var damaged = await QuiltProcess.Run(["pack", "--check", work.Below("out")]);
        Assert.That(damaged.ExitCode, Is.EqualTo(1));
        Assert.That(damaged.Output, Does.Contain("\ndamaged  model-00002-of-00004.safetensors: "));
    }

    [Test]
    public async Task Without_a_place_to_write_it_says_what_it_expects()
    {
        var result = await QuiltProcess.Run(["pack", "somewhere"]);
        Assert.That(result.ExitCode, Is.EqualTo(2));
        Assert.That(result.Complaints, Has.Some.Contains("OUT: expected a folder to write"));
    }
}
