using System.Text.Json;
using Quilt.Cli.Bench;
using Quilt.Cli.Synth;
using Quilt.Formats.Checkpoints;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Runtime;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Models;
using Quilt.Tests.Kernels;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Runtime;

public sealed class MemoryPlanTests
{
    private const long Gb = 1_000_000_000;

    [Test]
    public void The_whole_MiniMax_fits_one_device_of_141_GB_and_its_cache_gets_what_is_left()
    {
        var plan = Plan(141 * Gb, new EngineOptions());
        Assert.That(plan.Fits, Is.True);
        Assert.That(plan.Weights / (double)Gb, Is.EqualTo(131.9).Within(0.5),
            "62 layers of 256 experts in INT4, attention in FP8, embedding and head in bfloat16");
        Assert.That(plan.Total, Is.EqualTo(141 * Gb));
        Assert.That(plan.Cache, Is.GreaterThan(5 * Gb));
        Assert.That(plan.Require(), Is.SameAs(plan));
    }

    [Test]
    public void On_96_GB_it_is_refused_with_every_part_and_what_would_help()
    {
        var refused = Assert.Throws<NotSupportedException>(() => Plan(96 * Gb, new EngineOptions()).Require())!;
        Assert.That(refused.Message,
            Does.StartWith("gpu:0: expected at most 89.41 GiB, which are free, found 12").And.Contain("weights 122.8").And.Contain(
            "--kv-memory").And.Contain("--step-tokens").And.Contain("--max-sequences"));
    }

    [Test]
    public void The_host_holds_less_than_4_GB_of_it_at_once_and_no_more_than_of_a_model_of_one_layer()
    {
        const long Embedding = 200_064L * 3072 * 2;
        var host = Plan(141 * Gb, new EngineOptions { Threads = 16 }).Host;
        Assert.That(host, Is.GreaterThan(Embedding).And.LessThan(Embedding + (50 << 20)).And.LessThan(4 * Gb),
            "the embedding is the largest of what passes through it");
        Assert.That(Plan(141 * Gb, new EngineOptions { Threads = 16 }, layers: 1).Host, Is.EqualTo(host));
    }

    [Test]
    public void A_cache_that_is_asked_for_is_planned_as_such()
    {
        Assert.That(Plan(141 * Gb, new EngineOptions { KvMemory = 3 * Gb }).Cache, Is.EqualTo(3 * Gb));
        Assert.That(Plan(141 * Gb, new EngineOptions { KvMemory = 30 * Gb }).Fits, Is.False);
        Assert.That(Plan(999 * Gb, new EngineOptions { KvMemory = 900 * Gb, MaxSequences = 1 }).Cache, Is.LessThan(110 * Gb),
            "no more than one sequence can fill");
    }

    [TestCase("cpu", Activations.Float, KvType.Float32)]
    [TestCase("cpu", Activations.Int8, KvType.BFloat16)]
    [TestCase("gpu:0", Activations.Float, KvType.Float32)]
    [TestCase("gpu:0", Activations.BFloat16, KvType.BFloat16)]
    [TestCase("gpu:0", Activations.Fp8, KvType.BFloat16)]
    public void A_cache_is_as_precise_as_activations_unless_it_is_chosen(string device, Activations activations, KvType type)
    {
        var options = new EngineOptions { Device = device, Activations = activations };
        Assert.That(options.CacheType, Is.EqualTo(type));
        Assert.That((options with { KvType = KvType.Float32 }).CacheType, Is.EqualTo(KvType.Float32));
    }

    [TestCase(1)]
    [TestCase(64)]
    [TestCase(256)]
    public void No_step_needs_more_scratch_than_was_planned(int tokens)
    {
        using var folder = new TinyFolder();
        var device = (GpuDevice)Target.Gpus[0].Open();
        var options = new EngineOptions { Device = device.Name, Threads = 2, StepTokens = tokens, MaxSequences = 4, KvMemory = 16 << 20 };
        using var model = LoadedModel.Open(folder.Path, options, null, default, on: device);
        using var ops = new OpStream(device);
        ops.Gpu!.Scratch.Reserve(model.Memory!.Scratch);
        var reserved = ops.Gpu.Scratch.Bytes;
        using var runner = new ModelRunner(model.Decoder, new KvStore(model.Decoder.Spec, 64, 16, KvType.Float32, device), ops, tokens);
        runner.Prefill(Math.Min(tokens, TinyMiniMax.MaxPositions));
        Assert.That(ops.Gpu.Scratch.Bytes, Is.EqualTo(reserved), "no second piece was taken");
    }

    private static MemoryPlan Plan(long free, EngineOptions options, int layers = 62)
    {
        var config = ModelConfig.Parse(JsonSerializer.SerializeToElement(SynthConfig.Model(new SynthShape(layers, 200_064), SynthFormat.Fp8Int4)),
            "config.json");
        return MemoryPlan.For("gpu:0", free, isCuda: true, Architectures.Describe(config), new RandomParts(null!, null, default),
            options);
    }
}
