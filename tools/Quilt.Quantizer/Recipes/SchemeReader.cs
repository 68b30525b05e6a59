using System.Text.Json.Nodes;
using Quilt.Quantizer.Yaml;

namespace Quilt.Quantizer.Recipes;

/// <summary>Reads what a recipe says of how modules are stored: config_groups, or the names of schemes.</summary>
internal static class SchemeReader
{
    /// <summary>The groups of a modifier by its keys config_groups, scheme and targets; empty where it has neither of the first two.</summary>
    /// <param name="keys">The modifier's.</param>
    public static IReadOnlyList<SchemeGroup> Groups(YamlKeys keys)
    {
        var (groups, scheme, targets) = (keys.Take("config_groups"), keys.Take("scheme"), keys.Take("targets"));
        if (groups is not null && scheme is not null) throw scheme.Bad("none beside config_groups");
        if (scheme is not null)
        {
            return scheme.Kind == YamlKind.Mapping
                ? [.. scheme.Entries().Select((entry, i) => Named(Number(i), entry.Key, entry.Value, entry.Value.Texts()))]
                : [Named(Number(0), scheme.Text(), scheme, targets?.Texts() ?? ["Linear"])];
        }
        if (groups is null) return [];
        // The default of the modifier, which groups with targets of their own replace.
        if (targets is not null && targets.Texts() is not ["Linear"]) throw targets.Bad("Linear, the only value beside config_groups");
        return [.. groups.Entries().Select(entry => entry.Value.Kind == YamlKind.List
            ? Named(entry.Key, entry.Key, entry.Value, entry.Value.Texts())
            : Group(entry.Key, entry.Value))];
    }

    private static SchemeGroup Named(string group, string scheme, YamlNode node, IReadOnlyList<string> targets) =>
        RecipePresets.Scheme(scheme) is { } weights
            ? new(group, Some(targets, node), weights, RecipePresets.Activations(weights))
            : throw node.Bad($"one of {string.Join(", ", RecipePresets.SchemeNames)}, the schemes written here", $"the scheme {scheme}");

    private static SchemeGroup Group(string name, YamlNode group)
    {
        var keys = new YamlKeys(group);
        var targets = Some(keys.Texts("targets"), group);
        var weights = Weights(keys.Take("weights") ?? throw group.Bad("weights in it", "none"));
        var inputs = keys.Take("input_activations");
        if (inputs is not null && !weights.IsFloat) throw inputs.Bad("null beside integer weights, the only value that is done here");
        keys.Nothing("output_activations");
        keys.Only("format", weights.IsFloat ? "float-quantized" : "pack-quantized");
        keys.End();
        return new(name, targets, weights, inputs is null ? null : Inputs(inputs));
    }

    private static IReadOnlyList<string> Some(IReadOnlyList<string> targets, YamlNode node) =>
        targets.Count > 0 ? targets : throw node.Bad("targets", "none");

    private static WeightScheme Weights(YamlNode node)
    {
        var keys = new YamlKeys(node);
        var (bitsNode, strategyNode) = (node.Find("num_bits"), node.Find("strategy"));
        var isFloat = (keys.Text("type") ?? "int") switch
        {
            "int" => false,
            "float" => true,
            _ => throw node.Find("type")!.Bad("int or float"),
        };
        var bits = keys.Whole("num_bits", 1, 16) ?? 8;
        if (isFloat ? bits != 8 : bits is not (4 or 8))
            throw bitsNode!.Bad(isFloat ? "8 for float codes, the only number written here" : "4 or 8 for integer codes, the numbers written here");
        var symmetric = keys.Flag("symmetric") ?? true;
        if (isFloat && !symmetric) throw node.Find("symmetric")!.Bad("true for float codes, the only value that is done here");
        keys.False("dynamic");
        keys.NothingOrFalse("actorder");
        keys.Only("observer", "minmax", "memoryless_minmax", "static_minmax");
        keys.Empty("observer_kwargs");
        keys.Nothing("scale_dtype");
        keys.Only("zp_dtype", "torch.int8");

        var group = keys.Whole("group_size", -1, int.MaxValue);
        if (group == 0) throw node.Find("group_size")!.Bad("a whole number from 1 on, or -1 for a row");
        var block = Block(keys.Take("block_structure"));
        var strategy = keys.Text("strategy") ?? (group switch { null => block is null ? "tensor" : "block", -1 => "channel", _ => "group" });
        keys.End();
        var at = strategyNode ?? node;
        return strategy switch
        {
            "group" when !isFloat && group > 0 => new(ScaleStrategy.Group, false, bits, symmetric, group.Value),
            "group" when !isFloat => throw at.Bad("a group_size beside it", "none"),
            "channel" when group is null or -1 => new(ScaleStrategy.Channel, isFloat, bits, symmetric),
            "tensor" when isFloat => new(ScaleStrategy.Tensor, true, 8),
            "block" when isFloat && block is var (rows, columns) => new(ScaleStrategy.Block, true, 8, BlockRows: rows, BlockColumns: columns),
            "block" when isFloat => throw at.Bad("a block_structure beside it", "none"),
            _ => throw at.Bad(isFloat ? "tensor, channel or block, the strategies of float codes written here"
                : "group or channel, the strategies of integer codes written here", $"the strategy {strategy}"),
        };
    }

    // [128, 128], or "128x128".
    private static (int Rows, int Columns)? Block(YamlNode? node)
    {
        if (node is null) return null;
        if (node.Kind == YamlKind.List && node.Items() is [var first, var second])
            return ((int)first.Whole(1, 1 << 20), (int)second.Whole(1, 1 << 20));
        var parts = node.Kind == YamlKind.Text ? node.Text().Split('x') : [];
        return parts.Length == 2 && int.TryParse(parts[0], out var rows) && int.TryParse(parts[1], out var columns) && rows > 0 && columns > 0
            ? (rows, columns)
            : throw node.Bad("[rows, columns]");
    }

    // Passed on to config.json: what quantizes inputs is whoever runs the model. Scales of static inputs would have to be measured.
    private static JsonObject Inputs(YamlNode node)
    {
        var keys = new YamlKeys(node);
        if (keys.Flag("dynamic") is not true)
            throw (node.Find("dynamic") ?? node).Bad("dynamic: true, the only kind of inputs beside FP8 weights here");
        var (strategy, size) = (keys.Text("strategy"), keys.Whole("group_size", 1, int.MaxValue));
        keys.Only("type", "float");
        if (keys.Whole("num_bits", 1, 16) is { } bits and not 8) throw node.Find("num_bits")!.Bad("8, the only number done here", $"{bits}");
        if (keys.Flag("symmetric") is false) throw node.Find("symmetric")!.Bad("true, the only value that is done here");
        keys.Nothing("actorder", "block_structure", "scale_dtype", "zp_dtype");
        keys.Any("observer");
        keys.Empty("observer_kwargs");
        keys.End();
        strategy ??= size is null ? "token" : "group";
        if (strategy == "group" ? size is null : strategy != "token" || size is not null)
            throw node.Bad("the strategy token, or group with a group_size", $"{strategy}{(size is null ? "" : $" of {size}")}");
        var inputs = RecipePresets.Activations(new WeightScheme(ScaleStrategy.Channel, true, 8))!;
        (inputs["strategy"], inputs["group_size"]) = (strategy, size);
        return inputs;
    }

    private static string Number(int i) => FormattableString.Invariant($"group_{i}");
}
