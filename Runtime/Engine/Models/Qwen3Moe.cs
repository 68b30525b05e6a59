using Quilt.Formats.Checkpoints;
using Quilt.Kernels.Ops;

namespace Quilt.Runtime.Models;

/// <summary>
/// config.json "model_type": "qwen3_moe" (Qwen3-30B-A3B, Qwen3-235B-A22B, Qwen3-Coder): QK norm for each head, experts chosen by softmax, a dense
/// layer where the config asks for one (source: Qwen3MoeForCausalLM of transformers).
/// </summary>
internal static class Qwen3Moe
{
    /// <summary>The architecture's facts, with the sizes of one checkpoint.</summary>
    /// <exception cref="Formats.BadInputException">The config asks for what this architecture does not have, or a value is out of range.</exception>
    public static DecoderSpec Describe(ModelConfig config)
    {
        Check(config);
        var bias = config.Flag("attention_bias", false);
        var experts = new FeedForwardSpec
        {
            Experts = new(config.Experts, config.Need("moe_intermediate_size"),
                new(RouterScore.Softmax, config.ExpertsPerToken) { Normalize = config.Flag("norm_topk_prob", false) }),
        };
        var denseLayers = config.LayerSet("mlp_only_layers");
        var step = Math.Max(1, config.Count("decoder_sparse_step", 1));
        var anyDense = Enumerable.Range(0, config.Layers).Any(IsDense);
        var dense = new FeedForwardSpec { Dense = anyDense ? config.Intermediate : 0 };
        var attention = AttentionSpec.From(config, new(Theta: 1e4)) with { QkNorm = QkNorm.PerHead, InputBias = bias, OutputBias = bias };
        return DecoderSpec.From(config, attention, layer => IsDense(layer) ? dense : experts);

        bool IsDense(int layer) => denseLayers.Contains(layer) || (layer + 1) % step != 0;
    }

    private static void Check(ModelConfig config)
    {
        config.Only("use_sliding_window", false);
        config.Windows(enabled: false, _ => false);
    }
}
