using Quilt.Formats.Checkpoints;
using Quilt.Kernels.Ops;

namespace Quilt.Runtime.Models;

/// <summary>
/// config.json "model_type": "olmoe" (OLMoE-1B-7B): QK norm over the full width, experts chosen by softmax, their gates not divided by their sum
/// (source: OlmoeForCausalLM of transformers).
/// </summary>
internal static class Olmoe
{
    /// <summary>The architecture's facts, with the sizes of one checkpoint.</summary>
    /// <exception cref="Formats.BadInputException">The config asks for what this architecture does not have, or a value is out of range.</exception>
    public static DecoderSpec Describe(ModelConfig config)
    {
        Check(config);
        var bias = config.Flag("attention_bias", false);
        var experts = new FeedForwardSpec
        {
            Experts = new(config.Experts, config.Intermediate,
                new(RouterScore.Softmax, config.ExpertsPerToken) { Normalize = config.Flag("norm_topk_prob", false) }),
        };
        var attention = AttentionSpec.From(config, new(Theta: 1e4), config.HeadDimOrShare, config.KeyValueHeadsOrHeads) with
        {
            QkNorm = QkNorm.AcrossHeads,
            InputBias = bias,
            OutputBias = bias,
        };
        return DecoderSpec.From(config, attention, _ => experts);
    }

    private static void Check(ModelConfig config)
    {
        config.None("clip_qkv");
        config.None("sliding_window");
        config.Windows(enabled: false, _ => false);
    }
}
