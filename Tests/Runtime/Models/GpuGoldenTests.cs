using Quilt.Formats.Tensors;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Runtime;
using Quilt.Runtime.Models;
using Quilt.Runtime.Sampling;
using Quilt.Tests.Kernels;

namespace Quilt.Tests.Runtime.Models;

/// <summary>
/// Whole checkpoints on every GPU and every stand-in for one, through the same forward pass as on a CPU, against float64 logits of another
/// implementation.
/// </summary>
[TestFixtureSource(nameof(Fixtures))]
[Category("Conformance")]
[Category("Gpu")]
public sealed class GpuGoldenTests(string? folder, Target target)
{
    private const float Tolerance = 2e-3f;

    public static IEnumerable<TestFixtureData> Fixtures() =>
        from folder in Shared.Folders("golden/checkpoints").Concat(Shared.Folders("golden/architectures")).Where(GoldenFolder.Runs)
        from target in Target.Gpus
        select new TestFixtureData(folder, target).SetArgDisplayNames(Path.GetFileName(folder) ?? "none", target.ToString());

    [OneTimeSetUp]
    public void Require()
    {
        Shared.Require(folder);
        target.Open();
    }

    [Test]
    public void Gives_the_reference_s_logits_for_all_prompts_in_one_batch()
    {
        using var expected = SafeTensorsFile.Open(Path.Combine(folder!, "expected.safetensors"));
        using var model = Open();
        var prompts = Prompts(expected).Select(p => Ids(expected, $"prompt.{p}.input_ids")).ToArray();
        var logits = BatchRun.Logits(model.Decoder, prompts, chunk: 512, on: model.Device);
        for (var p = 0; p < prompts.Length; p++)
        {
            var wanted = expected.ReadFloats($"prompt.{p}.logits");
            Assert.That(logits[p], Has.Length.EqualTo(wanted.Length));
            var worst = logits[p].Zip(wanted, (a, b) => float.IsNaN(a) ? float.PositiveInfinity : Math.Abs(a - b)).Max();
            Assert.That(worst, Is.LessThanOrEqualTo(Tolerance), $"prompt {p}");
        }
    }

    [Test]
    public void Chooses_the_reference_s_experts()
    {
        using var expected = SafeTensorsFile.Open(Path.Combine(folder!, "expected.safetensors"));
        using var model = Open();
        if (model.Decoder.Spec.Experts is null) Assert.Ignore("The architecture has no experts.");
        foreach (var p in Prompts(expected))
        {
            var trace = PromptRun.Trace(model, Ids(expected, $"prompt.{p}.input_ids"), layers: true);
            for (var layer = 0; layer < model.Config.Layers; layer++)
            {
                var name = $"prompt.{p}.layer.{layer}.router_ids";
                Assert.That(trace.RouterIds[layer], Is.EqualTo(expected.Tensors.ContainsKey(name) ? Ids(expected, name) : []), name);
            }
        }
    }

    [Test]
    public async Task Continues_greedily_as_the_reference_does()
    {
        using var expected = SafeTensorsFile.Open(Path.Combine(folder!, "expected.safetensors"));
        await using var engine = new Engine(Open(), Options);
        var options = new SamplingOptions { Temperature = 0, IgnoreEos = true };
        var prompts = Prompts(expected).ToArray();
        var running = prompts.Select(p => engine.Generate(
            Ids(expected, $"prompt.{p}.input_ids"), options with { MaxTokens = Ids(expected, $"prompt.{p}.greedy").Length })).ToArray();
        for (var p = 0; p < prompts.Length; p++)
        {
            var ids = new List<int>();
            await foreach (var piece in running[p]) ids.Add(piece.Id);
            Assert.That(ids, Is.EqualTo(Ids(expected, $"prompt.{prompts[p]}.greedy")), $"prompt {p}");
        }
    }

    private EngineOptions Options => new() { Device = target.ToString(), Threads = 2, KvMemory = 64 << 20, KvType = KvType.Float32 };

    // On the fixtures' common device, whose kernels are compiled once.
    private LoadedModel Open() => LoadedModel.Open(folder!, Options, null, default, on: target.Open());

    private static IEnumerable<int> Prompts(SafeTensorsFile expected) =>
        Enumerable.Range(0, int.MaxValue).TakeWhile(p => expected.Tensors.ContainsKey($"prompt.{p}.input_ids"));

    private static int[] Ids(SafeTensorsFile expected, string name) => [.. expected.ReadIntegers(name).Select(id => (int)id)];
}
