using System.Text.Json;
using Quilt.Cli.Inspect;
using Quilt.Cli.Synth;
using Quilt.Formats.Checkpoints;
using Quilt.Kernels.Ops;
using Quilt.Kernels.Weights;
using Quilt.Runtime;
using Quilt.Runtime.Models;

namespace Quilt.Tests.Runtime;

/// <summary>The plan for several devices, at MiniMax-M2.5's own sizes.</summary>
public sealed class ParallelMemoryTests
{
    private const double Gib = 1L << 30;
    private const int Context = 196_608;

    [Test]
    public void MiniMax_M2_5_in_FP8_and_INT4_with_196608_tokens_fits_two_cards_of_96_GB()
    {
        var plan = Plan(attentionBits: 8.25, devices: 2, gigabytes: 96, new EngineOptions { KvMemory = Cache(KvType.BFloat16) });
        Print(plan);
        Assert.That(plan.CacheTokens, Is.GreaterThanOrEqualTo(Context));
        Assert.That(plan.CacheType, Is.EqualTo(KvType.BFloat16));
        Assert.That(plan.Fits, Is.True);
        Assert.That(plan.Devices.Select(device => device.Weights / Gib), Is.All.InRange(60, 64), "half of 123 GiB");
    }

    /// <summary>
    /// Of a card of 24 GB 16 are weights. A sequence of the full length in bfloat16 is 6.2 GB on each of eight; steps of 2,048 tokens and the driver
    /// leave less than that, steps of 512 do not; in FP8 it fits either way.
    /// </summary>
    [TestCase(KvType.BFloat16, 512, 1)]
    [TestCase(KvType.Fp8, 2048, 64)]
    public void In_BF16_and_INT4_it_fits_eight_cards_of_24_GB(KvType type, int step, int sequences)
    {
        var options = new EngineOptions { KvType = type, KvMemory = Cache(type), MaxBatchedTokens = step, MaxSequences = sequences };
        var plan = Plan(attentionBits: 16, devices: 8, gigabytes: 24 * (1L << 30) / 1e9, options);
        Print(plan);
        Assert.That(plan.CacheTokens, Is.GreaterThanOrEqualTo(Context));
        Assert.That(plan.Fits, Is.True);
    }

    [Test]
    public void It_does_not_fit_one_card_and_four_devices_have_a_quarter_each([Values] bool dealsExperts)
    {
        Assert.That(Plan(8.25, devices: 2, gigabytes: 48, new EngineOptions()).Fits, Is.False);
        var options = new EngineOptions { ExpertParallel = dealsExperts };
        var (two, four) = (Plan(8.25, 2, 96, options), Plan(8.25, 4, 96, options));
        Assert.That((double)four.Devices[0].Weights / two.Devices[0].Weights, Is.EqualTo(0.5).Within(0.01));
        Assert.That(four.Devices.Select(device => device.TokenBytes), Is.All.EqualTo(two.Devices[0].TokenBytes / 2));
        Assert.That(four.Devices.Select(device => device.CacheTokens), Is.All.EqualTo(four.CacheTokens));
    }

    [Test]
    public void Sixteen_devices_share_its_eight_heads_of_keys_two_by_two()
    {
        var (eight, sixteen) = (Plan(8.25, 8, 96, new EngineOptions()), Plan(8.25, 16, 96, new EngineOptions()));
        Assert.That(sixteen.Devices[0].TokenBytes, Is.EqualTo(eight.Devices[0].TokenBytes), "one head each");
    }

    // 62 layers, keys and values, 8 heads of 128.
    private static long Cache(KvType type) => Context * 2L * 62 * 8 * (type == KvType.Fp8 ? 129 : 256);

    private static MemoryPlan Plan(double attentionBits, int devices, double gigabytes, EngineOptions options)
    {
        var config = ModelConfig.Parse(JsonSerializer.SerializeToElement(SynthConfig.Model(new SynthShape(62, 200_064), SynthFormat.Fp8Int4)),
            "config.json");
        return DevicePlans.Of(Architectures.Describe(config), _ => new SizedParts(attentionBits),
            options with { TensorParallel = devices, MaxBatchedTokens = options.MaxBatchedTokens ?? 2048 }, (long)(gigabytes * 1e9), "config.json");
    }

    private static void Print(MemoryPlan plan)
    {
        foreach (var device in plan.Devices.Take(1)) TestContext.Out.WriteLine($"each of {plan.Devices.Count}: {device}");
    }

    /// <summary>Sizes of weights that nobody makes: experts in INT4 with a scale for 32, the rest as said.</summary>
    private sealed class SizedParts(double attentionBits) : IDecoderParts
    {
        public Weight Weight(ModuleShape[] stack) => throw new NotSupportedException("Only sizes are asked for.");

        public long Bytes(ModuleShape[] stack) => (long)(stack.Length * (double)stack[0].Rows * stack[0].Columns / 8 * BitsOf(stack[0].Name));

        public void Fill(VectorShape vector, Span<float> into) => into.Clear();

        public bool HeadIsEmbedding(ModuleShape head) => false;

        public void Finish()
        {
        }

        private double BitsOf(string name) => name.Contains(".experts.", StringComparison.Ordinal) ? 4.5
            : name.Contains(".self_attn.", StringComparison.Ordinal) ? attentionBits
            : name.Contains(".gate", StringComparison.Ordinal) ? 32 : 16;
    }
}
