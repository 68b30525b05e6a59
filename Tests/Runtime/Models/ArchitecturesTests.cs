using System.Text.Json;
using System.Text.Json.Nodes;
using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Runtime;
using Quilt.Runtime.Models;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Runtime.Models;

/// <summary>What an architecture does not have is refused by name, and nothing that would change the numbers is passed over.</summary>
public sealed class ArchitecturesTests
{
    private static IEnumerable<string> Names => Architectures.Names;

    public static IEnumerable<TestCaseData> Refused()
    {
        var folders = Shared.Folders("golden/architectures").Where(folder => folder is null || !GoldenFolder.Runs(folder)).DefaultIfEmpty(null);
        return folders.Select(folder => new TestCaseData(folder).SetArgDisplayNames(Path.GetFileName(folder) ?? "none"));
    }

    [TestCaseSource(nameof(Refused))]
    [Category("Conformance")]
    public void An_architecture_that_does_not_run_is_refused_by_name(string? folder)
    {
        var type = ModelConfig.Read(Path.Combine(Shared.Require(folder), ModelConfig.FileName)).ModelType;
        var refused = Assert.Throws<BadInputException>(() => LoadedModel.Open(folder!, new EngineOptions { Threads = 1 }, null, default))!;
        Assert.That(refused.Message, Does.Contain("config.json").And.Contain("model_type").And.Contain($"'{type}'"));
        foreach (var name in Architectures.Names) Assert.That(refused.Message, Does.Contain(name), "the names that run");
    }

    [TestCaseSource(nameof(Names))]
    public void A_small_config_of_each_architecture_is_described(string name)
    {
        var spec = Architectures.Describe(SmallConfig.Parse(SmallConfig.Of(name)));
        Assert.That(spec.Layers, Is.EqualTo(4));
        Assert.That(spec.Attention.HeadDim, Is.EqualTo(16));
        Assert.That(Enumerable.Range(0, 4).All(layer => spec.FeedForward(layer) is var f && (f.Dense > 0 || f.Experts is not null)));
        Assert.That(new DecoderModules(spec).Layers.SelectMany(layer => layer.Vectors), Is.Not.Empty);
    }

    [TestCaseSource(nameof(Names))]
    public void Another_activation_is_refused(string name) => AssertRefused(name, "hidden_act", "gelu");

    [TestCaseSource(nameof(Names))]
    public void A_kind_of_rotation_that_is_not_known_is_refused(string name)
    {
        AssertRefused(name, "rope_scaling", new JsonObject { ["rope_type"] = "dynamic", ["factor"] = 2.0 }, "rope_type", "dynamic");
        AssertRefused(name, "rope_scaling", new JsonObject { ["type"] = "longrope", ["factor"] = 2.0 }, "type", "longrope");
        AssertRefused(name, "rope_parameters", new JsonObject { ["rope_type"] = "linear", ["factor"] = 2.0 }, "rope_type", "linear");
    }

    [Test]
    public void A_setting_of_a_scaled_rotation_that_is_not_known_is_refused() =>
        AssertRefused("llama", "rope_scaling", new JsonObject { ["rope_type"] = "yarn", ["factor"] = 2.0, ["mrope_section"] = new JsonArray(1, 2) },
            "mrope_section");

    [Test]
    public void Two_places_that_ask_for_different_rotations_are_refused()
    {
        var config = SmallConfig.Of("llama");
        config["rope_parameters"] = new JsonObject { ["rope_type"] = "yarn", ["factor"] = 2.0 };
        config["rope_scaling"] = new JsonObject { ["rope_type"] = "yarn", ["factor"] = 4.0 };
        AssertRefused(config, "rope_parameters", "rope_scaling");
    }

    [TestCase("llama", "mlp_bias", true)]
    [TestCase("llama", "sliding_window", 512)]
    [TestCase("qwen2", "use_mrope", true)]
    [TestCase("qwen3_moe", "use_sliding_window", true)]
    [TestCase("olmoe", "clip_qkv", 8.0)]
    [TestCase("glm4_moe", "scoring_func", "softmax")]
    [TestCase("glm4_moe", "n_group", 3)]
    [TestCase("glm4_moe", "topk_group", 2)]
    [TestCase("glm4_moe", "num_experts", 7)]
    [TestCase("gpt_oss", "swiglu_limit", -1)]
    public void What_a_family_does_not_have_is_refused_by_its_key(string name, string key, object value) =>
        AssertRefused(name, key, JsonSerializer.SerializeToNode(value));

    [Test]
    public void Layers_of_a_kind_that_is_not_known_are_refused()
    {
        AssertRefused("gpt_oss", "layer_types", new JsonArray("full_attention", "chunked_attention", "full_attention", "full_attention"),
            "chunked_attention");
        AssertRefused("gpt_oss", "layer_types", new JsonArray("full_attention"));
        AssertRefused("llama", "layer_types", new JsonArray("full_attention", "sliding_attention", "full_attention", "full_attention"),
            "sliding_attention");
    }

    [Test]
    public void Windows_stand_where_the_family_puts_them()
    {
        Assert.That(Windows("gpt_oss", ("sliding_window", 128)), Is.EqualTo(new[] { 128, int.MaxValue, 128, int.MaxValue }));
        Assert.That(Windows("mixtral", ("sliding_window", 4096)), Is.EqualTo(new[] { 4096, 4096, 4096, 4096 }));
        Assert.That(Windows("mixtral"), Is.All.EqualTo(int.MaxValue));
        Assert.That(Windows("qwen2", ("sliding_window", 64), ("use_sliding_window", true), ("max_window_layers", 3)),
            Is.EqualTo(new[] { int.MaxValue, int.MaxValue, int.MaxValue, 64 }));
        Assert.That(Windows("qwen3", ("sliding_window", 64), ("use_sliding_window", false), ("max_window_layers", 0)), Is.All.EqualTo(int.MaxValue));
    }

    [Test]
    public void A_dense_layer_among_experts_stands_where_the_config_puts_it()
    {
        var config = SmallConfig.Of("qwen3_moe");
        config["decoder_sparse_step"] = 2;
        config["mlp_only_layers"] = new JsonArray(3);
        var spec = Architectures.Describe(SmallConfig.Parse(config));
        Assert.That(Enumerable.Range(0, 4).Select(layer => spec.FeedForward(layer).Experts is not null),
            Is.EqualTo(new[] { false, true, false, false }));
        Assert.That(new DecoderModules(spec).Layer(0).Dense!.Gate, Is.EqualTo(new ModuleShape("model.layers.0.mlp.gate_proj", 48, 64)));
    }

    private static int[] Windows(string name, params (string Key, object Value)[] settings)
    {
        var config = SmallConfig.Of(name);
        foreach (var (key, value) in settings) config[key] = JsonSerializer.SerializeToNode(value);
        var spec = Architectures.Describe(SmallConfig.Parse(config));
        return [.. Enumerable.Range(0, spec.Layers).Select(spec.Window)];
    }

    private static void AssertRefused(string name, string key, JsonNode? value, params string[] words)
    {
        var config = SmallConfig.Of(name);
        config[key] = value;
        AssertRefused(config, words.Length == 0 ? [key] : words);
    }

    private static void AssertRefused(JsonObject config, params string[] words)
    {
        var refused = Assert.Throws<BadInputException>(() => Architectures.Describe(SmallConfig.Parse(config)))!;
        foreach (var word in words) Assert.That(refused.Message, Does.Contain(word));
    }
}
