using System.Text.Json;
using System.Text.Json.Nodes;
using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Tensors;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Runtime;
using Quilt.Runtime.Models;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Runtime.Models;

/// <summary>No size that a config states gets past its limit, alone or multiplied with others; large models that exist do.</summary>
public sealed class DecoderLimitsTests
{
    private static readonly long[] Hostile = [16_384, 65_536, 1L << 20, (1L << 20) + 1, int.MaxValue, 1L << 31, 1L << 32, 1L << 40, long.MaxValue];

    public static IEnumerable<TestCaseData> Keys() =>
        from name in Architectures.Names
        from key in SmallConfig.Of(name).Where(entry => entry.Value?.GetValueKind() == JsonValueKind.Number).Select(entry => entry.Key)
            .Where(key => key is not ("rms_norm_eps" or "max_position_embeddings" or "sliding_window"))
        select new TestCaseData(name, key);

    // Alone, or all together with sizes as large as they may be: refused in words or described, and never more than is allowed.
    [TestCaseSource(nameof(Keys))]
    public void A_size_of_any_magnitude_is_described_or_refused_by_its_key(string name, string key)
    {
        foreach (var value in Hostile)
        {
            var config = SmallConfig.Of(name);
            config[key] = value;
            try
            {
                var spec = Architectures.Describe(SmallConfig.Parse(config));
                var attention = spec.Attention;
                Assert.That((long)attention.Heads * attention.HeadDim, Is.InRange(1, SizeLimits.AttentionWidth), $"{key} {value}");
                Assert.That(attention.HeadDim, Is.InRange(1, SizeLimits.HeadDim), $"{key} {value}");
                Assert.That(new DecoderModules(spec).Layers.SelectMany(layer => layer.Attention)
                    .All(module => module is { Rows: > 0, Columns: > 0 }));
                Assert.That(Enumerable.Range(0, spec.Layers).All(layer => spec.FeedForward(layer).Dense is >= 0 and <= SizeLimits.Width));
            }
            catch (BadInputException refused)
            {
                Assert.That(refused.Message, Does.Contain("config.json").And.Contain("expected").And.Contain("found"),
                    $"{key} {value}");
            }
        }
    }

    [TestCase("llama", "num_attention_heads x head_dim", "num_attention_heads", 1024, "head_dim", 1024)]
    [TestCase("llama", "num_hidden_layers x num_key_value_heads x head_dim", "num_hidden_layers", 1024, "head_dim", 1024, "num_key_value_heads", 64,
        "num_attention_heads", 64)]
    [TestCase("qwen3_moe", "num_experts_per_tok x", "num_experts_per_tok", 256, "moe_intermediate_size", 1 << 20, "num_experts", 512)]
    [TestCase("glm4_moe", "moe_intermediate_size x n_shared_experts", "moe_intermediate_size", 1 << 20, "n_shared_experts", 1 << 20)]
    [TestCase("llama", "num_attention_heads", "hidden_size", 1 << 20, "num_attention_heads", 4)]
    [TestCase("llama", "head_dim", "head_dim", 16384)]
    [TestCase("llama", "vocab_size", "vocab_size", 1 << 23)]
    [TestCase("mixtral", "num_local_experts", "num_local_experts", 65536)]
    public void A_product_beyond_its_limit_is_refused_by_all_its_keys(string name, string keys, params object[] settings)
    {
        var config = SmallConfig.Of(name);
        if (keys == "num_attention_heads") config.Remove("head_dim");
        for (var i = 0; i < settings.Length; i += 2) config[(string)settings[i]] = (int)settings[i + 1];
        var refused = Assert.Throws<BadInputException>(() => Architectures.Describe(SmallConfig.Parse(config)))!;
        Assert.That(refused.Message, Does.Contain("config.json").And.Contain(keys).And.Contain("expected").And.Contain("found"));
    }

    // Sizes of the largest models published in each dimension, and some.
    [TestCase("llama", "num_hidden_layers", 126, "hidden_size", 16384, "num_attention_heads", 128, "num_key_value_heads", 8, "head_dim", 128,
        "intermediate_size", 53248, "vocab_size", 128256)]
    [TestCase("llama", "num_hidden_layers", 96, "hidden_size", 12288, "num_attention_heads", 96, "num_key_value_heads", 96, "head_dim", 128)]
    [TestCase("llama", "vocab_size", 262208, "head_dim", 512, "num_attention_heads", 64)]
    [TestCase("qwen3_moe", "num_experts", 1024, "num_experts_per_tok", 32, "moe_intermediate_size", 8192)]
    [TestCase("mixtral", "num_local_experts", 16, "num_experts_per_tok", 4, "intermediate_size", 32768)]
    [TestCase("glm4_moe", "n_shared_experts", 4, "moe_intermediate_size", 4096)]
    public void The_largest_models_are_described(string name, params object[] settings)
    {
        var config = SmallConfig.Of(name);
        for (var i = 0; i < settings.Length; i += 2) config[(string)settings[i]] = (int)settings[i + 1];
        Assert.That(Architectures.Describe(SmallConfig.Parse(config)).Layers, Is.Positive);
    }

    [Test]
    public void A_head_too_wide_for_the_stack_is_refused_before_it_is_computed()
    {
        using var folder = new TinyFolder();
        var path = Path.Combine(folder.Path, "config.json");
        var config = JsonNode.Parse(File.ReadAllText(path))!;
        config["head_dim"] = 16384;
        File.WriteAllText(path, config.ToJsonString());
        var refused = Assert.Throws<BadInputException>(() => LoadedModel.Open(folder.Path, new EngineOptions { Threads = 1 }, null, default))!;
        Assert.That(refused.Message, Does.Contain("head_dim").And.Contain("16384").And.Contain($"{SizeLimits.HeadDim}"));
    }

    [Test]
    public void The_widest_head_that_is_allowed_runs_on_every_thread([Values] Isa isa)
    {
        if (!isa.IsSupported()) Assert.Ignore($"{isa} is not supported by this machine.");
        var config = SmallConfig.Of("llama");
        (config["head_dim"], config["num_hidden_layers"]) = (SizeLimits.HeadDim, 1);
        using var folder = new ModuleFolder(config);
        var modules = new DecoderModules(Architectures.Describe(SmallConfig.Parse(config)));
        var layer = modules.Layer(0);
        foreach (var module in (ModuleShape[])[modules.Embedding, modules.Head, .. layer.Attention, .. layer.Dense!.All])
            folder.AddScales("weight", DType.BF16, [module.Rows, module.Columns], name: module.Name);
        foreach (var vector in (VectorShape[])[modules.FinalNorm, .. layer.Vectors])
            folder.AddScales("weight", DType.BF16, [vector.Length], name: vector.Name[..^".weight".Length]);
        folder.Write();

        var options = new EngineOptions { Isa = isa, Threads = 3 };
        using var model = LoadedModel.Open(folder.Path, options, null, default);
        int[] tokens = [.. Enumerable.Range(0, 60)];
        Assert.That(PromptRun.Trace(model, tokens).Logits, Has.All.Not.NaN);
    }

    [Test]
    public void A_GPU_refuses_what_its_kernels_do_not_take_before_it_loads()
    {
        using var device = GpuDevices.Open(GpuDevices.Emulated, 1);
        var wide = SmallConfig.Of("llama");
        wide["head_dim"] = 1024;
        var spec = Architectures.Describe(SmallConfig.Parse(wide));
        Assert.That(Assert.Throws<NotSupportedException>(() => DecoderLimits.CheckOn(device, spec))!.Message, Does.Contain("1024"));
        var many = SmallConfig.Of("mixtral");
        many["num_local_experts"] = 2048;
        spec = Architectures.Describe(SmallConfig.Parse(many));
        Assert.That(Assert.Throws<NotSupportedException>(() => DecoderLimits.CheckOn(device, spec))!.Message, Does.Contain("2048"));
    }
}
