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
        var headDim = config.HeadDimOrShare;
        var bias = config.Flag("attention_bias", false);
        var experts = new FeedForwardSpec
        {
            Experts = new(config.Experts, config.Intermediate,
                new(RouterScore.Softmax, config.ExpertsPerToken) { Normalize = config.Flag("norm_topk_prob", false) }),
        };
        return new()
        {
            Layers = config.Layers,
            Hidden = config.Hidden,
            VocabularySize = config.VocabularySize,
            NormEpsilon = config.NormEpsilon,
            Attention = new(config.Heads, config.KeyValueHeadsOrHeads, headDim, config.Rope(headDim, new(Theta: 1e4)), config.MaxPositions)
            {
                QkNorm = QkNorm.AcrossHeads,
                InputBias = bias,
                OutputBias = bias,
            },
            FeedForward = _ => experts,
        };
    }

    private static void Check(ModelConfig config)
    {
        config.Only("hidden_act", "silu");
        config.None("clip_qkv");
        config.None("sliding_window");
        config.Windows(enabled: false, _ => false);
    }
}
