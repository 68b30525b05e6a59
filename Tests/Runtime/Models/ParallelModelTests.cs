using Quilt.Formats;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Runtime;
using Quilt.Runtime.Execution;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Models;
using Quilt.Runtime.Sampling;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Runtime.Models;

/// <summary>A small model of the tests over several devices: it says what it says on one, and each device holds its part.</summary>
public sealed class ParallelModelTests
{
    private static readonly SamplingOptions Greedy = new() { Temperature = 0, MaxTokens = 12, IgnoreEos = true };
    private static readonly int[][] Prompts = [[2, 17, 44, 3], [2, 9], [.. Enumerable.Range(0, 70).Select(i => i * 37 % 300)]];
    private TinyFolder folder = null!;

    [OneTimeSetUp]
    public void Write() => folder = new TinyFolder();

    [OneTimeTearDown]
    public void Delete() => folder.Dispose();

    [TestCase("cpu", false, KvType.Float32, 1e-4f)]
    [TestCase("cpu", true, KvType.Float32, 1e-4f)]
    [TestCase("cpu", false, KvType.BFloat16, 2e-2f)]
    [TestCase("gpu-emulated", false, KvType.Float32, 2e-3f)]
    [TestCase("gpu-emulated", true, KvType.Float32, 2e-3f)]
    public void Two_devices_give_the_logits_of_one_and_the_same_bits_twice(string device, bool dealsExperts, KvType type, float tolerance)
    {
        using var single = Open(new EngineOptions { Threads = 1 });
        using var model = Open(Two(device) with { ExpertParallel = dealsExperts });
        foreach (var prompt in Prompts)
        {
            var (wanted, found) = (Trace(single, prompt, type), Trace(model, prompt, type));
            var off = found.Logits.Zip(wanted.Logits, (a, b) => float.IsNaN(a) ? float.PositiveInfinity : Math.Abs(a - b)).Max();
            Assert.That(off, Is.LessThanOrEqualTo(tolerance));
            Assert.That(found.RouterIds, Is.EqualTo(wanted.RouterIds), "routers choose among all experts");
            Assert.That(Trace(model, prompt, type).Logits, Is.EqualTo(found.Logits));
        }
    }

    [Test]
    public async Task Sequences_together_in_chunks_and_from_the_cache_get_the_replies_of_one_device(
        [Values] bool dealsExperts, [Values(7, 512)] int chunk)
    {
        var options = Two("cpu") with { ExpertParallel = dealsExperts, MaxBatchedTokens = chunk, KvType = KvType.Float32 };
        await using var one = new Engine(Open(new EngineOptions { Threads = 1 }), new EngineOptions { Threads = 1 });
        await using var two = new Engine(Open(options), options);
        var wanted = new List<int[]>();
        foreach (var prompt in Prompts) wanted.Add(await Ids(one.Generate(prompt, Greedy)));
        for (var round = 0; round < 2; round++)
        {
            var together = Prompts.Select(prompt => two.Generate(prompt, Greedy)).ToArray();
            for (var p = 0; p < Prompts.Length; p++) Assert.That(await Ids(together[p]), Is.EqualTo(wanted[p]), $"prompt {p}");
            Assert.That(together[2].Stats.CachedTokens, round == 0 ? Is.Zero : Is.EqualTo(64), "the second time it is cached");
        }
        Assert.That((two.Core.Scheduler.Running, two.Core.Blocks.Free), Is.EqualTo((0, two.Core.Blocks.Blocks)));
    }

    [Test]
    public void A_device_holds_its_part_of_the_weights_and_of_the_cache_as_planned([Values] bool dealsExperts)
    {
        using var single = Open(new EngineOptions { Threads = 1 });
        using var model = Open(Two("cpu") with { ExpertParallel = dealsExperts });
        var whole = single.WeightBytes;
        foreach (var (share, plan) in model.Shares.Zip(model.Memory.Devices))
        {
            var held = share.Decoder.Weights.Bytes;
            Assert.That((double)held / whole, Is.InRange(0.5, 0.6), "half, but for routers, norms and padding");
            Assert.That(plan.Weights, Is.EqualTo(held).Within(10).Percent);
            Assert.That(plan.TokenBytes, Is.EqualTo(single.Memory.TokenBytes / 2));
        }
        Assert.That(model.Memory.Weights, Is.EqualTo(model.Memory.Devices.Sum(plan => plan.Weights)));
    }

    [Test]
    public void What_does_not_divide_is_refused_by_name_with_the_numbers_that_would_do()
    {
        var refused = Assert.Throws<BadInputException>(() => Open(new EngineOptions { TensorParallel = 4 }))!;
        Assert.That(refused.Message, Does.Contain("config.json: num_attention_heads: expected a number that 4 devices divide, found 10")
            .And.Contain("(--tp) can be 1, 2 here"));
    }

    [Test]
    public void Options_that_contradict_each_other_are_refused()
    {
        Assert.That(() => new EngineOptions { ExpertParallel = true }.Validate(), Throws.ArgumentException.With.Message.Contain("ExpertParallel"));
        Assert.That(() => new EngineOptions { TensorParallel = 0 }.Validate(), Throws.ArgumentException.With.Message.Contain("1 to 64"));
        Assert.That(() => new EngineOptions { Device = "gpu:0,gpu:1", TensorParallel = 3 }.Validate(),
            Throws.ArgumentException.With.Message.Contain("found 2"));
        Assert.That(new EngineOptions { Device = "gpu:2", TensorParallel = 3 }.DeviceNames(), Is.EqualTo(new[] { "gpu:2", "gpu:3", "gpu:4" }));
        Assert.That(new EngineOptions { Device = "gpu:0,gpu:2", TensorParallel = 2 }.DeviceNames(), Is.EqualTo(new[] { "gpu:0", "gpu:2" }));
    }

    [Test]
    public void Loading_that_is_cancelled_leaves_nothing_behind()
    {
        using var gone = new CancellationTokenSource();
        gone.Cancel();
        Assert.That(() => LoadedModel.Open(folder.Path, Two("cpu"), null, gone.Token), Throws.InstanceOf<OperationCanceledException>());
    }

    private static EngineOptions Two(string device) => new() { Device = device, TensorParallel = 2, Threads = 2, KvMemory = 16 << 20 };

    private LoadedModel Open(EngineOptions options) => LoadedModel.Open(folder.Path, options, null, default);

    private static StepTrace Trace(LoadedModel model, int[] prompt, KvType type)
    {
        using var executor = model.NewExecutor(new KvLayout(1, 16, type));
        return PromptTracer.Run(executor, prompt, layers: true, stepTokens: 512, type);
    }

    private static async Task<int[]> Ids(Generation generation)
    {
        var ids = new List<int>();
        await foreach (var piece in generation) ids.Add(piece.Id);
        return [.. ids];
    }
}
