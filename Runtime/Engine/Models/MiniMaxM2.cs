using Quilt.Formats.Checkpoints;
using Quilt.Kernels.Ops;

namespace Quilt.Runtime.Models;

/// <summary>
/// config.json "model_type": "minimax_m2" (MiniMax-M2, M2.1, M2.5, M2.7 and pruned variants): QK norm over the full width, partial rotation, every
/// layer routed by sigmoid with a correction bias, no shared expert (source: MiniMaxM2ForCausalLM of transformers).
/// </summary>
internal static class MiniMaxM2
{
    /// <summary>The architecture's facts, with the sizes of one checkpoint.</summary>
    /// <exception cref="Formats.BadInputException">The config asks for what this architecture does not have, or a value is out of range.</exception>
    public static DecoderSpec Describe(ModelConfig config)
    {
        Check(config);
        var experts = new FeedForwardSpec
        {
            Experts = new(config.Experts, config.Intermediate, new(RouterScore.Sigmoid, config.ExpertsPerToken))
            { Names = ExpertNames.Mixtral, CorrectionBias = true },
        };
        var attention = AttentionSpec.From(config, new(Theta: 5e6, Share: null) { MayScale = false }) with { QkNorm = QkNorm.AcrossHeads };
        return DecoderSpec.From(config, attention, _ => experts);
    }

    // Keys of the family that other checkpoints set otherwise: what is not implemented is refused here, not discovered in the output.
    private static void Check(ModelConfig config)
    {
        config.Only("scoring_func", "sigmoid");
        config.Only("use_routing_bias", true);
        config.Only("use_qk_norm", true);
        config.Only("qk_norm_type", "per_layer");
        config.Only("shared_intermediate_size", 0);
        config.OnlyEach("attn_type_list", 1, config.Layers);
    }
}
