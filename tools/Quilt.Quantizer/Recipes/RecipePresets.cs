using System.Text.Json.Nodes;
using Quilt.Formats;

namespace Quilt.Quantizer.Recipes;

/// <summary>Recipes that have names, and the schemes that recipes may name instead of describing them.</summary>
internal static class RecipePresets
{
    private const string CardRecipe = """
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
                    observer: memoryless_minmax
              mappings:
                - smooth_layer: re:.*post_attention_layernorm$
                  balance_layers: ["re:.*w1$", "re:.*w3$"]
                - smooth_layer: re:.*w3$
                  balance_layers: ["re:.*w2$"]
              duo_scaling: true

        """;

    private const string Fp8Recipe = """
        default_stage:
          default_modifiers:
            QuantizationModifier:
              targets: [Linear]
              scheme: FP8_BLOCK
              ignore: [lm_head, "re:.*(block_sparse_moe|mlp)\\.(gate|router)$"]

        """;

    /// <summary>The named recipes, the most wanted first.</summary>
    public static IReadOnlyList<RecipePreset> All { get; } =
    [
        new("minimax-m2-awq", "the recipe of the published MiniMax-M2 files, word for word: experts to 4 bits in groups of 32 after AWQ", CardRecipe),
        new("minimax-m2", "the same files with less error: a wider search, scales chosen group by group, routers that are made up for", CardRecipe)
        { Refined = true },
        new("fp8-blocks", "attention and experts of any model to FP8 in blocks of 128 x 128, as MiniMax and DeepSeek publish theirs", Fp8Recipe)
        { OfficialFp8 = true },
    ];

    private static readonly Dictionary<string, WeightScheme> Schemes = new(StringComparer.OrdinalIgnoreCase)
    {
        ["W4A16"] = new(ScaleStrategy.Group, false, 4, GroupSize: 128),
        ["W4A16_ASYM"] = new(ScaleStrategy.Group, false, 4, Symmetric: false, GroupSize: 128),
        ["W8A16"] = new(ScaleStrategy.Channel, false, 8),
        ["FP8_DYNAMIC"] = new(ScaleStrategy.Channel, true, 8),
        ["FP8_BLOCK"] = new(ScaleStrategy.Block, true, 8, BlockRows: 128, BlockColumns: 128),
    };

    /// <summary>A recipe by its name.</summary>
    /// <exception cref="BadInputException">There is none of this name.</exception>
    public static Recipe Recipe(string name) => All.FirstOrDefault(preset => preset.Name == name) is { } found
        ? RecipeReader.Parse(found.Text, found.Name) with { Refined = found.Refined, OfficialFp8 = found.OfficialFp8 }
        : throw new BadInputException("presets", name, $"expected one of {string.Join(", ", All.Select(preset => preset.Name))}, found none of them");

    /// <summary>Names of the schemes.</summary>
    public static IEnumerable<string> SchemeNames => Schemes.Keys;

    /// <summary>A scheme by the name that the library gives it; null where there is none, or none that is written here.</summary>
    public static WeightScheme? Scheme(string name) => Schemes.GetValueOrDefault(name);

    /// <summary>
    /// How the library's own schemes say that inputs of FP8 weights are quantized when the model runs: in groups of 128 beside blocks, else a token
    /// at a time. Null for integers, whose inputs stay as they are.
    /// </summary>
    public static JsonObject? Activations(WeightScheme scheme)
    {
        if (!scheme.IsFloat) return null;
        var isBlock = scheme.Strategy == ScaleStrategy.Block;
        return new()
        {
            ["actorder"] = null,
            ["block_structure"] = null,
            ["dynamic"] = true,
            ["group_size"] = isBlock ? 128 : null,
            ["num_bits"] = 8,
            ["observer"] = null,
            ["observer_kwargs"] = new JsonObject(),
            ["scale_dtype"] = null,
            ["strategy"] = isBlock ? "group" : "token",
            ["symmetric"] = true,
            ["type"] = "float",
            ["zp_dtype"] = null,
        };
    }
}

/// <summary>A recipe that has a name.</summary>
/// <param name="Name">It.</param>
/// <param name="About">What it does, in a line.</param>
/// <param name="Text">YAML.</param>
internal sealed record RecipePreset(string Name, string About, string Text)
{
    /// <inheritdoc cref="Recipe.Refined"/>
    public bool Refined { get; init; }

    /// <inheritdoc cref="Recipe.OfficialFp8"/>
    public bool OfficialFp8 { get; init; }
}
