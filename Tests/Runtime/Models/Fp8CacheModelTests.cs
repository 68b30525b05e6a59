using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Runtime;
using Quilt.Runtime.Models;
using Quilt.Runtime.Sampling;
using Quilt.Tests.Kernels;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Runtime.Models;

/// <summary>Models over a cache in FP8: the same bits however steps were cut, and the scales that a checkpoint brings.</summary>
public sealed class Fp8CacheModelTests
{
    private static readonly int[] Prompt = [.. Enumerable.Range(0, 90).Select(i => (i * 37) % 300)];

    [Test]
    public void A_prompt_has_the_same_logits_in_steps_of_any_size()
    {
        using var folder = new TinyFolder();
        using var model = Open(folder);
        var whole = PromptRun.Trace(model, Prompt, type: KvType.Fp8).Logits;
        foreach (var step in new[] { 1, 7, 16, 50 })
            Assert.That(PromptRun.Trace(model, Prompt, stepTokens: step, type: KvType.Fp8).Logits, Is.EqualTo(whole), $"in steps of {step}");
    }

    [Test]
    public void Logits_are_near_those_of_an_exact_cache_and_no_others()
    {
        using var folder = new TinyFolder();
        using var model = Open(folder);
        var (exact, found) = (PromptRun.Trace(model, Prompt).Logits, PromptRun.Trace(model, Prompt, type: KvType.Fp8).Logits);
        var (error, size) = (0.0, 0.0);
        for (var i = 0; i < exact.Length; i++)
        {
            error += Math.Pow(exact[i] - found[i], 2);
            size += Math.Pow(exact[i], 2);
        }
        // A random model whose weights are twice too large blows up what three bits of mantissa leave out; a wrong place or scale gives more than 1.
        Assert.That(Math.Sqrt(error / size), Is.InRange(1e-4, 0.3));
    }

    [Test]
    public async Task A_reply_is_the_same_alone_in_a_crowd_and_computed_again()
    {
        using var folder = new TinyFolder();
        var options = new EngineOptions { Threads = 1, KvType = KvType.Fp8, BlockTokens = 16 };
        await using var alone = await Engine.OpenAsync(folder.Path, options);
        // Room for five of the eight at their full length.
        await using var crowd = await Engine.OpenAsync(folder.Path,
            options with { MaxBatchedTokens = 24, KvMemory = 5 * 64 * alone.Memory.TokenBytes });
        var sampling = new SamplingOptions { MaxTokens = 40, IgnoreEos = true, Seed = 3, LogProbabilities = true };
        var prompts = Enumerable.Range(0, 8).Select(i => Prompt[i..(i + 10 + i)]).ToArray();
        var together = prompts.Select(prompt => Read(crowd.Generate(prompt, sampling))).ToArray();
        for (var i = 0; i < prompts.Length; i++)
            Assert.That(await together[i], Is.EqualTo(await Read(alone.Generate(prompts[i], sampling))), $"prompt {i}");
        Assert.That(crowd.Core.Scheduler.Preemptions, Is.Positive);
    }

    [Test]
    public void A_GPUs_stand_in_gives_the_same_in_steps_of_any_size_and_nearly_the_processors_numbers()
    {
        using var folder = new TinyFolder(1, false, TinyMiniMax.Layers, ("k_scale", [0.03f]), ("v_scale", [0.05f]));
        using var model = Open(folder);
        var device = (GpuDevice)Target.Gpus[0].Open();
        using var there = LoadedModel.Open(folder.Path, new EngineOptions { Device = device.Name, KvMemory = 1 << 20 }, null, default, on: device);
        var whole = PromptRun.Trace(there, Prompt[..40], type: KvType.Fp8).Logits;
        Assert.That(PromptRun.Trace(there, Prompt[..40], stepTokens: 16, type: KvType.Fp8).Logits, Is.EqualTo(whole));
        var expected = PromptRun.Trace(model, Prompt[..40], type: KvType.Fp8).Logits;
        var near = 0;
        for (var i = 0; i < whole.Length; i++) near += Math.Abs(whole[i] - expected[i]) < 0.02f ? 1 : 0;
        Assert.That(near, Is.GreaterThan(whole.Length * 9 / 10), "a sum's last bit may turn a code");
    }

    [TestCase("k_scale", "v_scale")]
    [TestCase("attn.k_scale", "attn.v_scale")]
    [TestCase("k_proj.k_scale", "v_proj.v_scale")]
    [TestCase("k_proj.output_scale", "v_proj.output_scale")]
    public void A_checkpoints_scales_are_used_in_FP8_and_nowhere_else(string key, string value)
    {
        using var plain = new TinyFolder();
        using var scaled = new TinyFolder(1, false, TinyMiniMax.Layers, (key, [0.03f]), (value, [0.05f]));
        using var without = Open(plain);
        using var with = Open(scaled);
        Assert.That(with.Decoder.Weights.Layers.Select(layer => layer.CacheScales), Is.All.EqualTo(new KvScales(0.03f, 0.05f)));
        Assert.That(without.Decoder.Weights.Layers.Select(layer => layer.CacheScales), Is.All.Null);
        Assert.That(with.Warnings, Is.EqualTo(without.Warnings));
        foreach (var type in new[] { KvType.Float32, KvType.BFloat16 })
            Assert.That(PromptRun.Trace(with, Prompt, type: type).Logits, Is.EqualTo(PromptRun.Trace(without, Prompt, type: type).Logits));
        var found = PromptRun.Trace(with, Prompt, type: KvType.Fp8).Logits;
        Assert.That(found, Is.Not.EqualTo(PromptRun.Trace(without, Prompt, type: KvType.Fp8).Logits));
        Assert.That(PromptRun.Trace(with, Prompt, stepTokens: 7, type: KvType.Fp8).Logits, Is.EqualTo(found));
    }

    [Test]
    public void One_scale_may_be_for_both()
    {
        using var folder = new TinyFolder(1, false, TinyMiniMax.Layers, ("kv_scale", [0.25f]));
        using var model = Open(folder);
        Assert.That(model.Decoder.Weights.Layers[1].CacheScales, Is.EqualTo(new KvScales(0.25f, 0.25f)));
    }

    private static IEnumerable<TestCaseData> Unusable()
    {
        yield return new TestCaseData(new (string, float[])[] { ("k_scale", [1f]) }, "self_attn.v_scale beside it, found none");
        yield return new TestCaseData(new (string, float[])[] { ("k_scale", [1f, 2f]), ("v_scale", [1f, 2f]) },
            "expected one value in F32, BF16 or F16");
        yield return new TestCaseData(new (string, float[])[] { ("k_scale", [-1f]), ("v_scale", [1f]) },
            "expected a scale of 2^-40 to 2^40, found -1");
        yield return new TestCaseData(new (string, float[])[] { ("k_scale", [float.NaN]), ("v_scale", [1f]) }, "found NaN");
    }

    [TestCaseSource(nameof(Unusable))]
    public void Scales_that_cannot_be_used_are_warned_about_and_rows_have_their_own((string, float[])[] tensors, string words)
    {
        using var folder = new TinyFolder(1, false, TinyMiniMax.Layers, tensors);
        using var model = Open(folder);
        Assert.That(model.Decoder.Weights.Layers.Select(layer => layer.CacheScales), Is.All.Null);
        Assert.That(model.Warnings, Has.Some.Contains(words).And.Contains("scales of their own"));
    }

    private static LoadedModel Open(TinyFolder folder) =>
        LoadedModel.Open(folder.Path, new EngineOptions { Threads = 2, KvMemory = 1 << 20 }, null, default);

    private static async Task<(int, float)[]> Read(Generation generation)
    {
        var pieces = new List<(int, float)>();
        await foreach (var piece in generation) pieces.Add((piece.Id, piece.LogProbability));
        return [.. pieces];
    }
}
