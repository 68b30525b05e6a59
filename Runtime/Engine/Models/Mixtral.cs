using Quilt.Formats.Checkpoints;
using Quilt.Kernels.Ops;

namespace Quilt.Runtime.Models;

/// <summary>
/// config.json "model_type": "mixtral" (Mixtral 8x7B, 8x22B): no QK norm, experts chosen by softmax; all layers may slide
/// (source: MixtralForCausalLM of transformers).
/// </summary>
internal static class Mixtral
{
    /// <summary>The architecture's facts, with the sizes of one checkpoint.</summary>
    /// <exception cref="Formats.BadInputException">The config asks for what this architecture does not have, or a value is out of range.</exception>
    public static DecoderSpec Describe(ModelConfig config)
    {
        config.Only("hidden_act", "silu");
        var headDim = config.HeadDimOrShare;
        var windows = config.Windows(config.Has("sliding_window"), _ => true);
        var experts = new FeedForwardSpec
        {
            Experts = new(config.Experts, config.Intermediate, new(RouterScore.Softmax, config.ExpertsPerToken)) { Names = ExpertNames.Mixtral },
        };
        return new()
        {
            Layers = config.Layers,
            Hidden = config.Hidden,
            VocabularySize = config.VocabularySize,
            NormEpsilon = config.NormEpsilon,
            Attention = new(config.Heads, config.KeyValueHeads, headDim, config.Rope(headDim, new(Theta: 1e6)), config.MaxPositions),
            Window = layer => windows[layer],
            FeedForward = _ => experts,
        };
    }
}
