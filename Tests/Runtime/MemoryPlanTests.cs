using System.Text.Json;
using Quilt.Cli.Bench;
using Quilt.Cli.Synth;
using Quilt.Formats.Checkpoints;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Runtime;
using Quilt.Runtime.Execution;
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
        Assert.That(plan.Total, Is.EqualTo(141 * Gb).Within(16 * plan.TokenBytes), "to a block");
        Assert.That(plan.Cache, Is.GreaterThan(5 * Gb));
        Assert.That(plan.Require(MemoryRoom.Gpu("gpu:0", 141 * Gb, isCuda: true, tensorCores: true)), Is.SameAs(plan));
    }

    [Test]
    public void On_96_GB_it_is_refused_with_every_part_and_what_would_help()
    {
        var room = MemoryRoom.Gpu("gpu:0", 96 * Gb, isCuda: true, tensorCores: true);
        var refused = Assert.Throws<NotSupportedException>(() => Plan(room).Require(room))!;
        Assert.That(refused.Message,
            Does.StartWith("gpu:0: expected at most 89.41 GiB, which are free, found 12").And.Contain("weights 122.8").And.Contain(
            "--kv-memory").And.Contain("--max-batched-tokens").And.Contain("--max-sequences"));
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
        Assert.That(Plan(141 * Gb, new EngineOptions { KvMemory = 3 * Gb }).Cache, Is.InRange(2.99 * Gb, 3 * Gb));
        Assert.That(Plan(141 * Gb, new EngineOptions { KvMemory = 30 * Gb }).Fits, Is.False);
        Assert.That(Plan(999 * Gb, new EngineOptions { KvMemory = 900 * Gb, MaxSequences = 1 }).Cache, Is.LessThan(110 * Gb),
            "no more than one sequence can fill");
    }

    // 496 KiB a token in float32, 248 in bfloat16: 99.9 or 49.9 GB for 196,608 tokens, beside 132 GB of weights.
    [TestCase(256, false, Activations.Float, KvType.Float32, 196_607)]
    [TestCase(256, true, Activations.Float, KvType.BFloat16, 470_000)]
    [TestCase(225, false, Activations.Float, KvType.BFloat16, 350_000)]
    [TestCase(256, false, Activations.BFloat16, KvType.BFloat16, 470_000)]
    [TestCase(141, false, Activations.Float, KvType.BFloat16, 30_000)]
    public void A_cache_is_exact_where_activations_are_the_whole_context_fits_and_attention_is_no_slower(
        int gigabytes, bool tensorCores, Activations activations, KvType type, int tokens)
    {
        var room = MemoryRoom.Gpu("gpu:0", gigabytes * Gb, isCuda: true, tensorCores);
        var plan = Plan(room, new EngineOptions { Device = "gpu:0", Activations = activations });
        Assert.That(plan.CacheType, Is.EqualTo(type));
        Assert.That(plan.CacheTokens, Is.GreaterThan(tokens));
        Assert.That(plan.Warning, tokens < plan.ContextTokens - 1 ? Is.Not.Null : Is.Null);
        Assert.That(Plan(gigabytes * Gb, new EngineOptions { KvType = KvType.Float32 }).CacheType, Is.EqualTo(KvType.Float32));
    }

    [TestCase(KvType.Float32, 496.0)]
    [TestCase(KvType.BFloat16, 248.0)]
    [TestCase(KvType.Fp8, 124.96875)]
    public void A_token_of_the_whole_MiniMax_takes_so_many_KiB_with_its_scales(KvType type, double kib)
    {
        var plan = Plan(999 * Gb, new EngineOptions { KvType = type, MaxSequences = 1 });
        Assert.That(plan.TokenBytes / 1024.0, Is.EqualTo(kib));
        Assert.That((plan.CacheType, plan.CacheTokens), Is.EqualTo((type, 196_608)));
        using var layer = new KvLayer(64, 16, 8, 128, type);
        Assert.That(62 * layer.Bytes, Is.EqualTo(64 * 16 * plan.TokenBytes), "as the cache is laid out");
    }

    [Test]
    public void A_processor_plans_with_what_is_free_leaves_some_of_it_and_says_when_that_is_less_than_the_model_s_context()
    {
        var small = Plan(new MemoryRoom("cpu", 160 * Gb, 170 * Gb, 0, 0.75));
        Assert.That(small.Cache, Is.InRange(19 * Gb, 21.2 * Gb), "three quarters of 28 GB");
        Assert.That(small.Warning,
            Does.Match(@"^the cache holds 8\d,\d+ tokens \(bfloat16, 19\.\d+ GiB\), fewer than the 196,608 of the model: 46\.50 GiB"));
        Assert.That(small.ToString(), Does.Contain("tokens in bfloat16").And.Contain("free on cpu"));
        Assert.That(Plan(new MemoryRoom("cpu", 400 * Gb, 400 * Gb, 0, 0.75)).Warning, Is.Null);
    }

    [Test]
    public void A_processor_with_less_memory_than_the_weights_refuses_and_one_that_is_busy_does_not()
    {
        var busy = new MemoryRoom("cpu", 20 * Gb, 140 * Gb, 0, 0.75);
        Assert.That(Plan(busy).Require(busy).CacheTokens, Is.EqualTo(1024));
        var tiny = new MemoryRoom("cpu", 20 * Gb, 24 * Gb, 0, 0.75);
        Assert.That(() => Plan(tiny).Require(tiny),
            Throws.TypeOf<NotSupportedException>().With.Message.StartsWith("cpu: expected at most 22.35 GiB"));
    }

    [TestCase("MemTotal: 1000 kB\nMemFree: 5 kB\nMemAvailable:   600 kB\n", null, null, null, 1000, 600)]
    [TestCase("MemTotal: 1000 kB\nMemAvailable: 600 kB\n", "max", "1", "", 1000, 600)]
    [TestCase("MemTotal: 1000 kB\nMemAvailable: 600 kB\n", "512000\n", "204800\n", "anon 1\ninactive_file 102400\n", 500, 400)]
    [TestCase("MemTotal: 1000 kB\nMemAvailable: 200 kB\n", "512000\n", "0\n", null, 500, 200)]
    public void A_machine_s_memory_is_read_with_the_limits_of_its_container(
        string machine, string? limit, string? used, string? kinds, long total, long available) =>
        Assert.That(SystemMemory.Parse(machine, limit, used, kinds), Is.EqualTo(new SystemMemory(total << 10, available << 10)));

    [Test]
    public void This_machine_has_memory()
    {
        var memory = SystemMemory.Read();
        Assert.That(memory.Available, Is.Positive.And.LessThanOrEqualTo(memory.Total));
        Assert.That(SystemMemory.Parse("nonsense", null, null, null), Is.Null);
    }

    [TestCase(1)]
    [TestCase(64)]
    [TestCase(256)]
    public void No_step_needs_more_scratch_than_was_planned(int tokens)
    {
        using var folder = new TinyFolder();
        var device = (GpuDevice)Target.Gpus[0].Open();
        var options = new EngineOptions { Device = device.Name, Threads = 2, MaxBatchedTokens = tokens, MaxSequences = 4, KvMemory = 16 << 20 };
        using var model = LoadedModel.Open(folder.Path, options, null, default, on: device);
        using var executor = new Executor(model.Decoder, device, new KvLayout(64, 16, KvType.Float32), scratch: model.Memory.Scratch);
        var reserved = executor.ScratchBytes;
        var runner = new ModelRunner(executor, new StepCost(model.Decoder.Spec, model.Decoder.Weights), tokens);
        runner.Prefill(Math.Min(tokens, TinyMiniMax.MaxPositions));
        Assert.That(executor.ScratchBytes, Is.EqualTo(reserved), "no second piece was taken");
    }

    private static MemoryPlan Plan(long free, EngineOptions options, int layers = 62) =>
        Plan(MemoryRoom.Gpu("gpu:0", free, isCuda: true, tensorCores: true), options, layers);

    private static MemoryPlan Plan(MemoryRoom room, EngineOptions? options = null, int layers = 62)
    {
        var config = ModelConfig.Parse(JsonSerializer.SerializeToElement(SynthConfig.Model(new SynthShape(layers, 200_064), SynthFormat.Fp8Int4)),
            "config.json");
        var parts = new RandomParts(null!, null, default);
        return MemoryPlanner.For(room, Architectures.Describe(config), parts, options ?? new EngineOptions());
    }
}
