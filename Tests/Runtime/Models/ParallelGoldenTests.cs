using Quilt.Formats;
using Quilt.Formats.Tensors;
using Quilt.Kernels.Ops;
using Quilt.Runtime;
using Quilt.Runtime.Execution;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Models;
using Quilt.Runtime.Sampling;

namespace Quilt.Tests.Runtime.Models;

/// <summary>
/// Whole checkpoints of every architecture that runs, cut over several devices of one process, against float64 logits of another implementation.
/// Where a width does not divide, the checkpoint is refused by name.
/// </summary>
[TestFixtureSource(nameof(Fixtures))]
[Category("Conformance")]
public sealed class ParallelGoldenTests(string? folder, int devices, bool dealsExperts)
{
    private LoadedModel model = null!;
    private SafeTensorsFile expected = null!;
    private int[][] prompts = [];

    private EngineOptions Options => new() { TensorParallel = devices, ExpertParallel = dealsExperts, Threads = devices, KvType = KvType.Float32 };

    // The activation of gpt-oss grows to 7 · 8, so that plain float32 strays four times as far.
    private float Tolerance => model.Config.ModelType == "gpt_oss" ? 3e-4f : 1e-4f;

    public static IEnumerable<TestFixtureData> Fixtures() =>
        from folder in Shared.Folders("golden/checkpoints").Concat(Shared.Folders("golden/architectures")).Where(GoldenFolder.Runs)
        from devices in new[] { 2, 4 }
        from dealsExperts in new[] { false, true }
        select new TestFixtureData(folder, devices, dealsExperts)
            .SetArgDisplayNames(Path.GetFileName(folder) ?? "none", $"{devices} devices", dealsExperts ? "experts dealt" : "experts cut");

    [OneTimeSetUp]
    public void Open()
    {
        Shared.Require(folder);
        try
        {
            model = LoadedModel.Open(folder!, Options, null, default);
        }
        catch (BadInputException refusal)
        {
            Assert.That(refusal.Message, Does.Contain($"expected a number that {devices} devices divide").And.Contain("--tp"));
            Assert.Ignore($"{devices} devices do not divide it: {refusal.Message}");
        }
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
    public void Gives_the_reference_s_logits_and_the_same_bits_twice_and_in_chunks()
    {
        var worst = 0f;
        for (var p = 0; p < prompts.Length; p++)
        {
            var logits = Logits(prompts[p], 512);
            var wanted = expected.ReadFloats($"prompt.{p}.logits");
            Assert.That(logits, Has.Length.EqualTo(wanted.Length));
            var off = logits.Zip(wanted, (a, b) => float.IsNaN(a) ? float.PositiveInfinity : Math.Abs(a - b)).Max();
            worst = Math.Max(worst, off);
            Assert.That(off, Is.LessThanOrEqualTo(Tolerance), $"prompt {p}");
            Assert.That(Bits(Logits(prompts[p], 512)), Is.EqualTo(Bits(logits)), $"prompt {p} again");
            Assert.That(Bits(Logits(prompts[p], 7)), Is.EqualTo(Bits(logits)), $"prompt {p} in chunks");
        }
        TestContext.Out.WriteLine(FormattableString.Invariant($"worst deviation: {worst:g3}"));
    }

    [Test]
    public async Task Continues_greedily_as_the_reference_does([Values(7, 512)] int stepTokens)
    {
        await using var engine = new Engine(LoadedModel.Open(folder!, Options, null, default), Options with { MaxBatchedTokens = stepTokens });
        var wanted = Prompts().Select(p => expected.ReadIntegers($"prompt.{p}.greedy").Select(id => (int)id).ToArray()).ToArray();
        var options = new SamplingOptions { Temperature = 0, IgnoreEos = true };
        var together = prompts.Select((prompt, p) => engine.Generate(prompt, options with { MaxTokens = wanted[p].Length })).ToArray();
        for (var p = 0; p < prompts.Length; p++) Assert.That(await Ids(together[p]), Is.EqualTo(wanted[p]), $"prompt {p} in a batch");
        Assert.That(await Ids(engine.Generate(prompts[0], options with { MaxTokens = wanted[0].Length })), Is.EqualTo(wanted[0]), "alone, cached");
    }

    private float[] Logits(int[] prompt, int stepTokens)
    {
        using var executor = model.NewExecutor(new KvLayout(1, 16, KvType.Float32));
        return PromptTracer.Run(executor, prompt, layers: false, stepTokens).Logits;
    }

    private static async Task<int[]> Ids(Generation generation)
    {
        var ids = new List<int>();
        await foreach (var piece in generation) ids.Add(piece.Id);
        return [.. ids];
    }

    private static uint[] Bits(float[] values) => Array.ConvertAll(values, BitConverter.SingleToUInt32Bits);

    private IEnumerable<int> Prompts() => Enumerable.Range(0, int.MaxValue).TakeWhile(p => expected.Tensors.ContainsKey($"prompt.{p}.input_ids"));
}
