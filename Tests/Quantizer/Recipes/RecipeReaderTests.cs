using Quilt.Formats;
using Quilt.Quantizer.Recipes;

namespace Quilt.Tests.Quantizer.Recipes;

/// <summary>Recipes in llm-compressor's YAML: the forms of its versions, and a refusal by key for all that is not done here.</summary>
public sealed class RecipeReaderTests
{
    private const string Card = """
        default_stage:
          default_modifiers:
            AWQModifier:
              config_groups:
                mlp_experts_projections:
                  targets: ["re:.*block_sparse_moe\\.experts\\.\\d+\\.(w1|w2|w3)$"]
                  weights:
                    num_bits: 4
                    type: int
                    symmetric: true
                    group_size: 32
                    strategy: group
                    dynamic: false
                    # actorder: group
                    observer: memoryless_minmax
              mappings:
                - smooth_layer: re:.*post_attention_layernorm$
                  balance_layers: ["re:.*w1$", "re:.*w3$"]
                - smooth_layer: re:.*w3$
                  balance_layers: ["re:.*w2$"]
              duo_scaling: true
        """;

    private static readonly WeightScheme Int4 = new(ScaleStrategy.Group, false, 4, GroupSize: 32);
    private static readonly WeightScheme Block = new(ScaleStrategy.Block, true, 8, BlockRows: 128, BlockColumns: 128);

    [Test]
    public void Reads_the_model_card_s_recipe()
    {
        var recipe = RecipeReader.Parse(Card, "recipe.yaml");
        Assert.That(recipe.Groups, Has.Count.EqualTo(1));
        Assert.That(recipe.Groups[0].Name, Is.EqualTo("mlp_experts_projections"));
        Assert.That(recipe.Groups[0].Targets, Is.EqualTo(new[] { @"re:.*block_sparse_moe\.experts\.\d+\.(w1|w2|w3)$" }));
        Assert.That(recipe.Groups[0].Weights, Is.EqualTo(Int4));
        Assert.That(recipe.Ignore, Is.Empty);
        Assert.That(recipe.Smoothing!.Duo, Is.EqualTo(DuoScaling.Yes));
        Assert.That(recipe.Smoothing.GridPoints, Is.EqualTo(20));
        Assert.That(recipe.Smoothing.Mappings.Select(mapping => (mapping.SmoothLayer, string.Join(' ', mapping.BalanceLayers))),
            Is.EqualTo(new[] { ("re:.*post_attention_layernorm$", "re:.*w1$ re:.*w3$"), ("re:.*w3$", "re:.*w2$") }));
    }

    [Test]
    public void The_first_preset_is_the_model_card_s_recipe()
    {
        var (preset, card) = (RecipePresets.Recipe(RecipePresets.All[0].Name), RecipeReader.Parse(Card, "card"));
        Assert.That(preset.Groups[0].Weights, Is.EqualTo(card.Groups[0].Weights));
        Assert.That(preset.Groups[0].Targets, Is.EqualTo(card.Groups[0].Targets));
        Assert.That(preset.Smoothing!.Mappings.Select(mapping => mapping.BalanceLayers),
            Is.EqualTo(card.Smoothing!.Mappings.Select(mapping => mapping.BalanceLayers)));
        Assert.That(preset.Refined, Is.False);
    }

    [Test]
    public void Reads_every_preset()
    {
        foreach (var preset in RecipePresets.All) Assert.That(RecipePresets.Recipe(preset.Name).Groups, Is.Not.Empty, preset.Name);
        Assert.That(() => RecipePresets.Recipe("none"), Throws.InstanceOf<BadInputException>().With.Message.Contains(RecipePresets.All[0].Name));
    }

    [Test]
    public void Reads_the_form_with_two_modifiers()
    {
        var recipe = RecipeReader.Parse("""
            default_stage:
              default_modifiers:
                AWQModifier:
                  requires_calibration_data: true
                  mappings:
                  - smooth_layer: re:.*post_attention_layernorm$
                    balance_layers: ['re:.*mlp\.experts\.\d+\.gate_proj$', 're:.*mlp\.experts\.\d+\.up_proj$']
                    activation_hook_target: null
                  offload_device: !!python/object/apply:torch.device [cpu]
                  duo_scaling: both
                  n_grid: 8
                QuantizationModifier:
                  config_groups:
                    group_0:
                      targets: ['re:.*mlp\.experts\.\d+\.(gate_proj|down_proj|up_proj)$']
                      weights: {num_bits: 4, type: int, symmetric: true, group_size: 32, strategy: group, block_structure: null, dynamic: false,
                        actorder: null, scale_dtype: null, zp_dtype: null, observer: memoryless_minmax, observer_kwargs: {}}
                      input_activations: null
                      output_activations: null
                      format: null
                  targets: [Linear]
                  ignore: [lm_head]
                  bypass_divisibility_checks: false
                  requires_calibration_data: false
            """, "recipe.yaml");
        Assert.That(recipe.Groups.Single().Weights, Is.EqualTo(Int4));
        Assert.That(recipe.Ignore, Is.EqualTo(new[] { "lm_head" }));
        Assert.That((recipe.Smoothing!.Duo, recipe.Smoothing.GridPoints), Is.EqualTo((DuoScaling.Both, 8)));
    }

    [Test]
    public void Reads_a_named_scheme_with_targets()
    {
        var recipe = RecipeReader.Parse("""
            quant_stage:
              run_type: oneshot
              quant_modifiers:
              - QuantizationModifier:
                  targets: Linear
                  ignore: ["lm_head", "re:.*gate$"]
                  scheme: FP8_BLOCK
            """, "recipe.yaml");
        Assert.That(recipe.Groups.Single().Weights, Is.EqualTo(Block));
        Assert.That(recipe.Groups.Single().Targets, Is.EqualTo(new[] { "Linear" }));
        Assert.That((string?)recipe.Groups.Single().InputActivations!["strategy"], Is.EqualTo("group"));
        Assert.That((int?)recipe.Groups.Single().InputActivations!["group_size"], Is.EqualTo(128));
        Assert.That(recipe.Smoothing, Is.Null);
    }

    [Test]
    public void Reads_named_schemes_as_keys()
    {
        foreach (var text in (string[])["scheme: {W4A16: [Linear], FP8_DYNAMIC: 're:.*q_proj$'}",
            "config_groups: {W4A16: [Linear], FP8_DYNAMIC: ['re:.*q_proj$']}"])
        {
            var recipe = RecipeReader.Parse($"x_modifiers: {{QuantizationModifier: {{{text}}}}}", "recipe.yaml");
            Assert.That(recipe.Groups.Select(group => group.Weights),
                Is.EqualTo(new WeightScheme[] { new(ScaleStrategy.Group, false, 4, GroupSize: 128), new(ScaleStrategy.Channel, true, 8) }));
            Assert.That(recipe.Groups[1].Targets, Is.EqualTo(new[] { "re:.*q_proj$" }));
        }
    }

    [Test]
    public void Smooths_experts_where_no_mappings_are_given() => Assert.That(
        RecipeReader.Parse("s_stage: {m_modifiers: {AWQModifier: {scheme: W4A16}}}", "recipe.yaml").Smoothing!.Mappings
            .Select(mapping => mapping.SmoothLayer),
        Is.EqualTo(new[] { "re:.*post_attention_layernorm$", "re:.*w3$" }));

    [TestCase("strategy: group, group_size: 64", 64)]
    [TestCase("group_size: 64", 64)]
    [TestCase("group_size: -1", 0)]
    [TestCase("strategy: channel", 0)]
    public void Finds_the_strategy(string text, int group) => Assert.That(Weights($"num_bits: 8, {text}"),
        Is.EqualTo(new WeightScheme(group > 0 ? ScaleStrategy.Group : ScaleStrategy.Channel, false, 8, GroupSize: group)));

    [TestCase("block_structure: [64, 128]")]
    [TestCase("strategy: block, block_structure: 64x128")]
    public void Finds_the_block(string text) =>
        Assert.That(Weights($"type: float, {text}"), Is.EqualTo(new WeightScheme(ScaleStrategy.Block, true, 8, BlockRows: 64, BlockColumns: 128)));

    [TestCase("minmax")]
    [TestCase("static_minmax")]
    [TestCase("memoryless_minmax")]
    public void Observers_of_the_largest_values_are_one_for_weights(string observer) =>
        Assert.That(Weights($"num_bits: 4, group_size: 32, observer: {observer}"), Is.EqualTo(Int4));

    [TestCase("num_bits: 4, group_size: 32, actorder: group", "weights.actorder (line 1)", "\"group\"")]
    [TestCase("num_bits: 4, group_size: 32, observer: mse", "weights.observer (line 1)", "mse")]
    [TestCase("num_bits: 4, group_size: 32, observer_kwargs: {a: 1}", "weights.observer_kwargs", "a mapping")]
    [TestCase("num_bits: 4, group_size: 32, dynamic: true", "weights.dynamic", "true")]
    [TestCase("num_bits: 4, group_size: 32, scale_dtype: torch.float8_e4m3fn", "weights.scale_dtype", "float8")]
    [TestCase("num_bits: 4, group_size: 32, zp_dtype: torch.int32", "weights.zp_dtype", "int32")]
    [TestCase("num_bits: 3, group_size: 32", "weights.num_bits", "3")]
    [TestCase("num_bits: 4, type: float, group_size: 16", "weights.num_bits", "4")]
    [TestCase("num_bits: 4, group_size: 0", "weights.group_size", "0")]
    [TestCase("num_bits: 4, strategy: group", "weights.strategy", "none")]
    [TestCase("num_bits: 4", "weights", "tensor")]
    [TestCase("num_bits: 4, strategy: tensor_group, group_size: 16", "weights.strategy", "tensor_group")]
    [TestCase("type: float, strategy: group, group_size: 32", "weights.strategy", "group")]
    [TestCase("type: float, strategy: block", "weights.strategy", "none")]
    [TestCase("type: float, symmetric: false", "weights.symmetric", "false")]
    [TestCase("type: nibble", "weights.type", "nibble")]
    [TestCase("num_bits: 4, group_size: 32, percdamp: 0.1", "weights.percdamp (line 1)", "0.1")]
    public void Refuses_weights_that_are_not_written(string weights, string key, string found) =>
        Refuses($"m_modifiers: {{QuantizationModifier: {{config_groups: {{x: {{targets: [Linear], weights: {{{weights}}}}}}}}}}}",
            $"config_groups.x.{key}", found);

    [TestCase("weights: {type: float, strategy: channel}, input_activations: {num_bits: 8, type: float, dynamic: false}",
        "input_activations.dynamic")]
    [TestCase("weights: {type: float, strategy: channel}, input_activations: {dynamic: true, strategy: tensor}", "input_activations")]
    [TestCase("weights: {num_bits: 4, group_size: 32}, input_activations: {num_bits: 8, dynamic: true}", "input_activations")]
    [TestCase("weights: {num_bits: 4, group_size: 32}, output_activations: {num_bits: 8}", "output_activations")]
    [TestCase("weights: {num_bits: 4, group_size: 32}, format: marlin-24", "format")]
    [TestCase("targetz: x, weights: {num_bits: 4, group_size: 32}", "targetz")]
    [TestCase("input_activations: null", "x (line 1)")]
    public void Refuses_groups_that_are_not_written(string group, string key) =>
        Refuses($"m_modifiers: {{QuantizationModifier: {{config_groups: {{x: {{targets: [Linear], {group}}}}}}}}}", key);

    [TestCase("{QuantizationModifier: {scheme: W8A8}}", "scheme (line 1)", "W8A8")]
    [TestCase("{QuantizationModifier: {scheme: FP8}}", "scheme (line 1)", "FP8")]
    [TestCase("{QuantizationModifier: {scheme: W4A16, config_groups: {}}}", "scheme")]
    [TestCase("{QuantizationModifier: {scheme: W4A16, kv_cache_scheme: {num_bits: 8}}}", "kv_cache_scheme")]
    [TestCase("{QuantizationModifier: {scheme: W4A16, bypass_divisibility_checks: true}}", "bypass_divisibility_checks")]
    [TestCase("{QuantizationModifier: {scheme: W4A16, dampening_frac: 0.01}}", "dampening_frac")]
    [TestCase("{QuantizationModifier: {ignore: [lm_head]}}", "QuantizationModifier", "neither")]
    [TestCase("{QuantizationModifier: {config_groups: {W4A16: [Linear]}, targets: ['re:x']}}", "targets")]
    [TestCase("{GPTQModifier: {scheme: W4A16}}", "GPTQModifier")]
    [TestCase("{AWQModifier: {duo_scaling: true}}", "line 1", "none")]
    [TestCase("{AWQModifier: {scheme: W4A16, duo_scaling: maybe}}", "duo_scaling", "maybe")]
    [TestCase("{AWQModifier: {scheme: W4A16, n_grid: 0}}", "n_grid", "0")]
    [TestCase("{AWQModifier: {scheme: W4A16, mappings: [{smooth_layer: a}]}}", "mappings[0]", "none")]
    [TestCase("{AWQModifier: {scheme: W4A16, mappings: [{smooth_layer: a, balance_layers: [b], activation_hook_target: c}]}}",
        "activation_hook_target")]
    [TestCase("{AWQModifier: {scheme: W4A16}, QuantizationModifier: {scheme: W4A16}}", "QuantizationModifier", "both")]
    [TestCase("[{QuantizationModifier: {scheme: W4A16}}, {QuantizationModifier: {scheme: W4A16}}]", "QuantizationModifier", "second")]
    [TestCase("[{QuantizationModifier: {scheme: W4A16}}, {AWQModifier: {}}]", "AWQModifier", "behind")]
    public void Refuses_modifiers_that_are_not_done(string modifiers, string key, string found = "found") =>
        Refuses($"m_modifiers: {modifiers}", key, found);

    [TestCase("stages: {}", "stages")]
    [TestCase("a_stage: {other: {}}", "a_stage.other")]
    [TestCase("a_stage: {run_type: train, m_modifiers: {}}", "run_type")]
    [TestCase("[1, 2]", "line 1")]
    [TestCase("", "line 1")]
    [TestCase("a: b: c", "YAML")]
    public void Refuses_what_is_no_recipe(string yaml, string key) => Refuses(yaml, key);

    private static WeightScheme Weights(string text) => RecipeReader
        .Parse($"m_modifiers: {{QuantizationModifier: {{config_groups: {{x: {{targets: [Linear], weights: {{{text}}}}}}}}}}}", "recipe.yaml")
        .Groups[0].Weights;

    private static void Refuses(string yaml, string key, string found = "found")
    {
        var refused = Assert.Throws<BadInputException>(() => RecipeReader.Parse(yaml, "recipe.yaml"));
        Assert.That(refused!.Message, Does.StartWith("recipe.yaml: ").And.Contain(key).And.Contain(found).And.Contain("expected"));
    }
}
