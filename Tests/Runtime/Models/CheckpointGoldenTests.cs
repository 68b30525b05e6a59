using Quilt.Formats.Tensors;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Runtime;
using Quilt.Runtime.Execution;
using Quilt.Runtime.Models;
using Quilt.Runtime.Sampling;
using Quilt.Tests.Kernels;

namespace Quilt.Tests.Runtime.Models;

/// <summary>
/// Whole checkpoints of every architecture that runs against float64 logits of another implementation, on every instruction set: each prompt alone,
/// all in one batch, whole and in chunks.
/// </summary>
[TestFixtureSource(nameof(Fixtures))]
[Category("Conformance")]
public sealed class CheckpointGoldenTests(string? folder, Isa isa)
{
    private const float RouterTolerance = 1e-5f;

    // The activation of gpt-oss grows to 7 · 8, so that plain float32 strays four times as far.
    private float Tolerance => model.Config.ModelType == "gpt_oss" ? 3e-4f : 1e-4f;

    private LoadedModel model = null!;
    private SafeTensorsFile expected = null!;
    private int[][] prompts = [];
    private (float Values, float Gates) worst;

    public static IEnumerable<TestFixtureData> Fixtures() =>
        from folder in Shared.Folders("golden/checkpoints").Concat(Shared.Folders("golden/architectures")).Where(GoldenFolder.Runs)
        from isa in Target.Isas
        select new TestFixtureData(folder, isa).SetArgDisplayNames(Path.GetFileName(folder) ?? "none", isa.ToString());

    [OneTimeSetUp]
    public void Open()
    {
        Shared.Require(folder);
        model = LoadedModel.Open(folder!, new EngineOptions { Isa = isa, Threads = 2 }, null, default);
        expected = SafeTensorsFile.Open(Path.Combine(folder!, "expected.safetensors"));
        prompts = [.. Prompts().Select(p => expected.ReadIntegers($"prompt.{p}.input_ids").Select(id => (int)id).ToArray())];
    }

    [OneTimeTearDown]
    public void Close()
    {
        expected?.Dispose();
        model?.Dispose();
    }

    [Test]
    public void Gives_the_reference_s_logits_hidden_states_and_router_choices()
    {
        for (var p = 0; p < prompts.Length; p++)
        {
            var trace = Trace(prompts[p], stepTokens: 512);
            Near(trace.Logits, expected.ReadFloats($"prompt.{p}.logits"), $"prompt {p} logits");
            Assert.That(trace.Embedding, Is.EqualTo(expected.ReadFloats($"prompt.{p}.embed")), $"prompt {p} embedding");
            for (var layer = 0; layer < model.Config.Layers; layer++)
            {
                Near(trace.LayerHidden[layer], expected.ReadFloats($"prompt.{p}.layer.{layer}.hidden"), $"prompt {p} layer {layer} hidden");
                var routed = expected.Tensors.ContainsKey($"prompt.{p}.layer.{layer}.router_ids");
                Assert.That(trace.RouterIds[layer].Length > 0, Is.EqualTo(routed), $"layer {layer} has a router");
                if (!routed) continue;
                var ids = expected.ReadIntegers($"prompt.{p}.layer.{layer}.router_ids").Select(id => (int)id).ToArray();
                Assert.That(trace.RouterIds[layer], Is.EqualTo(ids), $"prompt {p} layer {layer} router ids");
                Near(trace.RouterWeights[layer], expected.ReadFloats($"prompt.{p}.layer.{layer}.router_weights"),
                    $"prompt {p} layer {layer} router weights", RouterTolerance);
            }
        }
        TestContext.Out.WriteLine(FormattableString.Invariant($"worst deviation: {worst.Values:g3}, of router weights {worst.Gates:g3}"));
    }

    [Test]
    public void Gives_the_same_bits_in_chunks([Values(1, 7, 16)] int chunk)
    {
        foreach (var prompt in prompts)
        {
            Assert.That(Bits(Trace(prompt, chunk).Logits), Is.EqualTo(Bits(Trace(prompt, stepTokens: 512).Logits)));
        }
    }

    [Test]
    public void Gives_the_same_bits_in_a_batch([Values(1, 7, 16, 512)] int chunk)
    {
        var batch = BatchRun.Logits(model.Decoder, prompts, chunk, isa: isa);
        for (var p = 0; p < prompts.Length; p++)
        {
            Assert.That(Bits(batch[p]), Is.EqualTo(Bits(Trace(prompts[p], stepTokens: 512).Logits)), $"prompt {p}");
        }
    }

    [Test]
    public async Task Continues_greedily_as_the_reference_does([Values(1, 7, 512)] int stepTokens)
    {
        await using var engine = new Engine(LoadedModel.Open(folder!, new EngineOptions { Isa = isa, Threads = 2 }, null, default),
            new EngineOptions { MaxBatchedTokens = stepTokens });
        var wanted = Prompts().Select(p => expected.ReadIntegers($"prompt.{p}.greedy").Select(id => (int)id).ToArray()).ToArray();
        var options = new SamplingOptions { Temperature = 0, IgnoreEos = true };

        for (var p = 0; p < prompts.Length; p++)
        {
            Assert.That(await Ids(engine.Generate(prompts[p], options with { MaxTokens = wanted[p].Length })), Is.EqualTo(wanted[p]),
                $"prompt {p} alone");
        }
        var together = prompts.Select((prompt, p) => engine.Generate(prompt, options with { MaxTokens = wanted[p].Length })).ToArray();
        for (var p = 0; p < prompts.Length; p++) Assert.That(await Ids(together[p]), Is.EqualTo(wanted[p]), $"prompt {p} in a batch");
    }

    private static async Task<int[]> Ids(Generation generation)
    {
        var ids = new List<int>();
        await foreach (var piece in generation) ids.Add(piece.Id);
        return [.. ids];
    }

    private static uint[] Bits(float[] values) => Array.ConvertAll(values, BitConverter.SingleToUInt32Bits);

    private void Near(float[] actual, float[] wanted, string what, float? within = null)
    {
        Assert.That(actual, Has.Length.EqualTo(wanted.Length), what);
        var off = actual.Zip(wanted, (a, b) => float.IsNaN(a) ? float.PositiveInfinity : Math.Abs(a - b)).DefaultIfEmpty().Max();
        worst = within is null ? (Math.Max(worst.Values, off), worst.Gates) : (worst.Values, Math.Max(worst.Gates, off));
        Assert.That(off, Is.LessThanOrEqualTo(within ?? Tolerance), what);
    }

    private IEnumerable<int> Prompts() => Enumerable.Range(0, int.MaxValue).TakeWhile(p => expected.Tensors.ContainsKey($"prompt.{p}.input_ids"));

    private StepTrace Trace(int[] prompt, int stepTokens) => PromptRun.Trace(model, prompt, layers: true, stepTokens);
}
