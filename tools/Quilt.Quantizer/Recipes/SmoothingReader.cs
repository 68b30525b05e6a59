using Quilt.Quantizer.Yaml;

namespace Quilt.Quantizer.Recipes;

/// <summary>Reads what a recipe says of AWQ.</summary>
internal static class SmoothingReader
{
    private const int MaxGrid = 1000;

    // What every family with routed experts has: the norm before them and the three matrices of each, by any of their names.
    private static readonly SmoothMapping[] OfExperts =
    [
        new("re:.*post_attention_layernorm$", ["re:.*w1$", "re:.*w3$"]),
        new("re:.*w3$", ["re:.*w2$"]),
    ];

    /// <summary>The settings of an AWQModifier.</summary>
    /// <param name="keys">The modifier's.</param>
    public static Smoothing Read(YamlKeys keys)
    {
        var duo = keys.Take("duo_scaling") switch
        {
            null => DuoScaling.Yes,
            { Kind: YamlKind.Flag } flag => flag.Flag() ? DuoScaling.Yes : DuoScaling.No,
            { Kind: YamlKind.Text } text when text.Text() == "both" => DuoScaling.Both,
            var other => throw other.Bad("true, false or both"),
        };
        var grid = keys.Whole("n_grid", 1, MaxGrid) ?? 20;
        var mappings = keys.Take("mappings")?.Items().Select(Mapping).ToArray() ?? OfExperts;
        // Where statistics are kept, and by which pieces of the model the other tool walks.
        keys.Any("offload_device", "sequential_targets");
        return new(mappings, duo, grid);
    }

    private static SmoothMapping Mapping(YamlNode node)
    {
        var keys = new YamlKeys(node);
        var smooth = keys.Text("smooth_layer") ?? throw node.Bad("a smooth_layer", "none");
        var balance = keys.Texts("balance_layers");
        keys.Nothing("activation_hook_target");
        keys.End();
        return balance.Count > 0 ? new(smooth, balance) : throw node.Bad("balance_layers", "none");
    }
}
