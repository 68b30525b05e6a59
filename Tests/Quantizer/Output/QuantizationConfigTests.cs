using System.Text.Json.Nodes;
using Quilt.Formats.Checkpoints;
using Quilt.Quantizer.Output;
using Quilt.Quantizer.Plan;
using Quilt.Quantizer.Recipes;
using Quilt.Tests.Quantizer.Plan;

namespace Quilt.Tests.Quantizer.Output;

/// <summary>What a result's config says, and that both loaders understand it.</summary>
public sealed class QuantizationConfigTests
{
    private const string Attention = @"'re:.*self_attn\.(q_proj|k_proj|v_proj|o_proj)$'";
    private const string Experts = @"'re:.*block_sparse_moe\.experts\.\d+\.(w1|w2|w3)$'";
    private const string Int4 = "{num_bits: 4, group_size: 32}";
    private const string Fp8 = "{type: float, block_structure: [128, 128]}";
    private readonly SourceFolder folder = new();
    private string dense = "";

    [OneTimeSetUp]
    public void Create() => dense = folder.Dense();

    [OneTimeTearDown]
    public void Delete() => folder.Dispose();

    [Test]
    public void Mixed_precision_is_said_as_both_loaders_resolve_it()
    {
        var (config, warnings) = Config(dense,
            $"config_groups: {{a: {{targets: [{Attention}], weights: {Fp8}}}, b: {{targets: [{Experts}], weights: {Int4}}}}}");
        Assert.That(Texts(config["config_groups"]!["group_0"]!["targets"]),
            Is.EqualTo(new[] { @"re:.*self_attn\.(q_proj|k_proj|v_proj|o_proj|qkv_proj)$" }));
        Assert.That(Texts(config["config_groups"]!["group_1"]!["targets"]), Is.EqualTo(new[]
        { "Linear", @"re:.*(block_sparse_moe|mlp)\.experts\.\d+\.(w1|w3|w2|gate_proj|up_proj|down_proj)$" }));
        Assert.That(Texts(config["ignore"]), Is.EquivalentTo(new[] { @"re:.*(block_sparse_moe|mlp)\.gate$", "lm_head" }));
        Assert.That((string?)config["format"], Is.EqualTo("mixed-precision"));
        Assert.That(warnings, Is.Empty);
    }

    [Test]
    public void What_is_left_alone_is_ignored_by_expressions()
    {
        var (config, warnings) = Config(dense, $"config_groups: {{a: {{targets: [{Attention}], weights: {Fp8}}}}}");
        Assert.That(Texts(config["ignore"]), Is.EquivalentTo(new[]
        { @"re:.*(block_sparse_moe|mlp)\.gate$", @"re:.*(block_sparse_moe|mlp)\.experts\.\d+\.(w1|w3|w2|gate_proj|up_proj|down_proj)$", "lm_head" }));
        Assert.That(Texts(config["config_groups"]!["group_0"]!["targets"]), Has.None.EqualTo("Linear"));
        Assert.That(warnings, Is.Empty);
    }

    [Test]
    public void Layers_that_differ_are_said_by_their_numbers()
    {
        var (config, warnings) = Config(dense,
            $"config_groups: {{a: {{targets: ['re:.*layers\\.1\\.self_attn.*'], weights: {Fp8}}}, b: {{targets: [{Experts}], weights: {Int4}}}}}");
        Assert.That(Texts(config["config_groups"]!["group_0"]!["targets"]),
            Is.EqualTo(new[] { @"re:.*\.layers\.(1)\.self_attn\.(q_proj|k_proj|v_proj|o_proj|qkv_proj)$" }));
        Assert.That(Texts(config["ignore"]), Has.Member(@"re:.*\.layers\.(0)\.self_attn\.(q_proj|k_proj|v_proj|o_proj)$"));
        Assert.That(warnings, Is.Empty);
    }

    [Test]
    public void Experts_that_differ_are_said_by_their_numbers_and_vLLM_is_warned_of()
    {
        var (config, warnings) = Config(dense, $"config_groups: {{a: {{targets: ['re:.*layers\\.0.*experts\\.2\\..*'], weights: {Int4}}}}}");
        const string Names = "(w1|w3|w2|gate_proj|up_proj|down_proj)$";
        Assert.That(Texts(config["config_groups"]!["group_0"]!["targets"]),
            Is.EqualTo(new[] { @"re:.*\.layers\.(0)\.(block_sparse_moe|mlp)\.experts\.(2)\." + Names }));
        Assert.That(Texts(config["ignore"]), Is.SupersetOf(new[]
        {
            @"re:.*\.layers\.(0)\.(block_sparse_moe|mlp)\.experts\.(0|1|3)\." + Names,
            @"re:.*\.layers\.(1)\.(block_sparse_moe|mlp)\.experts\.(0|1|2|3)\." + Names,
        }));
        Assert.That(warnings, Has.Some.Contains("model.layers.0.mlp.experts").And.Some.Contains("vLLM"));
    }

    [Test]
    public void Matrices_that_vLLM_joins_and_that_differ_are_warned_of()
    {
        var (_, warnings) = Config(dense, $"config_groups: {{a: {{targets: ['re:.*q_proj$'], weights: {Fp8}}}}}");
        Assert.That(warnings, Has.Count.EqualTo(1).And.Some.Contains("qkv_proj"));
    }

    [Test]
    public void All_but_the_quantization_stays_as_it_was_written()
    {
        var path = Path.Combine(folder.Path, "written");
        Directory.CreateDirectory(path);
        var text = File.ReadAllText(Path.Combine(dense, "config.json"));
        File.WriteAllText(Path.Combine(path, "config.json"), text.Replace("\"rope_theta\":5000000",
            "\"rope_theta\": 5000000.0, \"compression_config\": {\"a\": 1}, \"ü\": [1e-06, \"+\"]"));
        var config = ModelConfig.Read(Path.Combine(path, "config.json"));
        var written = System.Text.Encoding.UTF8.GetString(ConfigFile.With(config, new JsonObject { ["quant_method"] = "x" }));
        Assert.That(written, Does.Contain("\"rope_theta\": 5000000.0").And.Contain("1e-06")
            .And.Contain("\"ü\"").And.Contain("\"+\"").And.EndWith("}\n"));
        var names = JsonNode.Parse(written)!.AsObject().Select(pair => pair.Key).ToList();
        Assert.That(names, Does.Not.Contain("compression_config"));
        Assert.That(names.Where(name => name != "quantization_config"),
            Is.EqualTo(config.Json.EnumerateObject().Select(property => property.Name).Where(name => name != "compression_config")));
        Assert.That(names.Count(name => name == "quantization_config"), Is.EqualTo(1));
    }

    [Test]
    public void The_check_finds_a_module_that_a_target_takes_by_mistake()
    {
        var targets = new ConfigTargets([("model.layers.0.self_attn.q_proj", 0), ("model.layers.0.self_attn.k_proj", -1)], 1);
        Assert.That(() => ConfigCheck.Library("config.json", [("model.layers.0.self_attn.q_proj", 0)], targets), Throws.Nothing);
        Assert.That(() => ConfigCheck.Library("config.json", [("model.layers.0.self_attn.k_proj", 0)], targets),
            Throws.InstanceOf<Quilt.Formats.BadInputException>().With.Message.Contains("k_proj"));
    }

    private static (JsonObject Config, IReadOnlyList<string> Warnings) Config(string source, string modifier)
    {
        using var checkpoint = Checkpoint.Open(source);
        var warnings = new List<string>();
        return (QuantizationConfig.Of(QuantizePlan.Create(checkpoint, SourceFolder.Recipe(modifier)), warnings), warnings);
    }

    private static IEnumerable<string?> Texts(JsonNode? node) => node!.AsArray().Select(text => (string?)text);
}
