using System.Text.Json;
using System.Text.Json.Nodes;
using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Quantizer.Plan;
using Quilt.Quantizer.Recipes;

namespace Quilt.Quantizer.Output;

/// <summary>
/// quantization_config of a result, in the words of compressed-tensors or, for the official FP8 form, of its publishers. It says of every module what
/// it is stored as, under the rules of the library and of vLLM (docs/checkpoints.md, "Quantization configs").
/// </summary>
internal static class QuantizationConfig
{
    // Newer libraries lay codes of 3, 5, 6 and 7 bits out otherwise; those are not written.
    private const string Version = "0.13.0";
    private const string Embedding = "embed_tokens";

    /// <summary>It.</summary>
    /// <param name="plan">What becomes of each module.</param>
    /// <param name="warnings">Hears where a loader will not understand it.</param>
    /// <exception cref="BadInputException">What is stored cannot be said in a config.</exception>
    public static JsonObject Of(QuantizePlan plan, ICollection<string> warnings)
    {
        var linear = plan.Modules.Where(module => module.Result is not null || !module.Name.EndsWith(Embedding, StringComparison.Ordinal)).ToList();
        if (plan.IsOfficialFp8) return OfficialFp8(plan, linear);

        var groups = new List<ConfigGroup>();
        foreach (var group in plan.Recipe.Groups) Add(new(group.Weights, group.InputActivations));
        var placed = linear.ConvertAll(module => (module.Name, module.Result is null ? -1 : Add(Group(module))));
        var used = placed.Select(module => module.Item2).Where(group => group >= 0).Distinct().Order().ToList();
        placed = placed.ConvertAll(module => (module.Name, used.IndexOf(module.Item2)));
        groups = used.ConvertAll(group => groups[group]);

        var targets = new ConfigTargets(placed, groups.Count);
        ConfigCheck.Library(plan.Source.Config.Source, placed, targets);
        foreach (var warning in ConfigCheck.Vllm(plan.Spec, placed, targets)) warnings.Add(warning);
        return CompressedTensors(groups, targets);

        int Add(ConfigGroup group)
        {
            var known = groups.FindIndex(other => other.Weights == group.Weights && JsonNode.DeepEquals(other.Inputs, group.Inputs));
            if (known < 0) groups.Add(group);
            return known < 0 ? groups.Count - 1 : known;
        }

        // What is copied as it is joins the recipe's group of the same scheme.
        ConfigGroup Group(PlannedModule module) => module.Group is { } own
            ? new(own.Weights, own.InputActivations)
            : groups.Find(group => group.Weights == module.Result) ?? new(module.Result!, RecipePresets.Activations(module.Result!));
    }

    private static JsonObject CompressedTensors(List<ConfigGroup> groups, ConfigTargets targets)
    {
        var all = new JsonObject();
        for (var i = 0; i < groups.Count; i++) all[FormattableString.Invariant($"group_{i}")] = groups[i].ToJson(targets.Targets[i]);
        var formats = groups.Select(group => group.Format).Distinct().ToList();
        return new()
        {
            ["config_groups"] = all,
            ["format"] = formats.Count == 1 ? formats[0] : "mixed-precision",
            ["global_compression_ratio"] = null,
            ["ignore"] = ConfigGroup.Texts(targets.Ignored),
            ["kv_cache_scheme"] = null,
            ["quant_method"] = "compressed-tensors",
            ["quantization_status"] = "compressed",
            ["sparsity_config"] = new JsonObject(),
            ["transform_config"] = new JsonObject(),
            ["version"] = Version,
        };
    }

    private static JsonObject OfficialFp8(QuantizePlan plan, List<PlannedModule> linear)
    {
        var block = linear.Find(module => module.Result is not null)!.Result!;
        if (linear.Find(module => module.Result is not null && module.Result != block) is { } other)
            throw new BadInputException(plan.Recipe.Origin, other.Name,
                $"expected FP8 in blocks of {block.BlockRows}x{block.BlockColumns}, the only scheme that the official form has, found " +
                other.Stored.Scheme);
        string[] plain = [.. linear.Where(module => module.Result is null).Select(module => module.Name)];
        // The publishers' own list, where it says the same.
        if (plan.Source.Config.ModelType == "minimax_m2" && plain.All(name => name is "lm_head" || name.EndsWith(".gate", StringComparison.Ordinal)))
            plain = ["gate", "e_score_correction_bias", "lm_head"];
        return new()
        {
            ["activation_scheme"] = "dynamic",
            ["fmt"] = "float8_e4m3fn",
            ["modules_to_not_convert"] = ConfigGroup.Texts(plain),
            ["quant_method"] = "fp8",
            ["weight_block_size"] = new JsonArray(block.BlockRows, block.BlockColumns),
        };
    }
}
