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
        var windows = config.Windows(config.Has("sliding_window"), _ => true);
        var experts = new FeedForwardSpec
        {
            Experts = new(config.Experts, config.Intermediate, new(RouterScore.Softmax, config.ExpertsPerToken)) { Names = ExpertNames.Mixtral },
        };
        var attention = AttentionSpec.From(config, new(Theta: 1e6), config.HeadDimOrShare);
        return DecoderSpec.From(config, attention, _ => experts) with { Window = layer => windows[layer] };
    }
}
