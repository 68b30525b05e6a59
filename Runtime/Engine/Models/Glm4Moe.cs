using Quilt.Formats.Checkpoints;
using Quilt.Kernels.Ops;

namespace Quilt.Runtime.Models;

/// <summary>
/// config.json "model_type": "glm4_moe" (GLM-4.5, 4.6, 4.7): dense layers first, then experts in groups chosen by sigmoid with a correction bias
/// beside shared ones; partial rotation, a QK norm for each head in the large models (source: Glm4MoeForCausalLM of transformers). The
/// multi-token-prediction layer that the files hold behind the last layer is not run.
/// </summary>
internal static class Glm4Moe
{
    /// <summary>The architecture's facts, with the sizes of one checkpoint.</summary>
    /// <exception cref="Formats.BadInputException">The config asks for what this architecture does not have, or a value is out of range.</exception>
    public static DecoderSpec Describe(ModelConfig config)
    {
        Check(config);
        var denseLayers = config.Count("first_k_dense_replace", 1);
        var dense = new FeedForwardSpec { Dense = denseLayers > 0 ? config.Intermediate : 0 };
        var width = config.Need("moe_intermediate_size");
        var routed = new FeedForwardSpec
        {
            Dense = config.Product("moe_intermediate_size", width, "n_shared_experts", config.Count("n_shared_experts", 1)),
            Experts = new(config.Experts, width, Routing(config)) { CorrectionBias = true },
        };
        var attention = AttentionSpec.From(config, new(Theta: 1e4, Share: 0.5)) with
        {
            QkNorm = config.Flag("use_qk_norm", false) ? QkNorm.PerHead : QkNorm.None,
            InputBias = config.Flag("attention_bias", false),
        };
        return DecoderSpec.From(config, attention, layer => layer < denseLayers ? dense : routed);
    }

    private static Routing Routing(ModelConfig config)
    {
        var (groups, kept) = (config.Count("n_group", 1), config.Count("topk_group", 1));
        if (groups == 0 || config.Experts % groups != 0)
            throw config.Bad("n_group", $"expected a divisor of the number of experts ({config.Experts}), found {groups}");
        if (kept == 0 || kept > groups || config.ExpertsPerToken > config.Experts / groups * kept)
            throw config.Bad("topk_group", $"expected enough of the {groups} groups for {config.ExpertsPerToken} experts a token, found {kept}");
        return new(RouterScore.Sigmoid, config.ExpertsPerToken)
        {
            Normalize = config.Flag("norm_topk_prob", true),
            Scale = config.Real("routed_scaling_factor", 1),
            Groups = groups,
            GroupsPerToken = kept,
        };
    }

    private static void Check(ModelConfig config)
    {
        config.Only("scoring_func", "sigmoid");
        config.Only("topk_method", "noaux_tc");
        config.None("sliding_window");
        config.Windows(enabled: false, _ => false);
    }
}
