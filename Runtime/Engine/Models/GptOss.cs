using Quilt.Formats.Checkpoints;
using Quilt.Kernels.Ops;

namespace Quilt.Runtime.Models;

/// <summary>
/// config.json "model_type": "gpt_oss" (gpt-oss-20b, gpt-oss-120b): biases everywhere, a sink a head, every other layer slides, YaRN, experts with a
/// clamped SwiGLU (source: GptOssForCausalLM of transformers). Experts in BF16, stacked as that class has them.
/// </summary>
internal static class GptOss
{
    /// <summary>The architecture's facts, with the sizes of one checkpoint.</summary>
    /// <exception cref="Formats.BadInputException">The config asks for what this architecture does not have, or a value is out of range.</exception>
    public static DecoderSpec Describe(ModelConfig config)
    {
        var bias = config.Flag("attention_bias", true);
        var windows = config.Windows(enabled: true, layer => layer % 2 == 0);
        var experts = new FeedForwardSpec
        {
            Experts = new(config.Experts, config.Intermediate, new(RouterScore.Softmax, config.ExpertsPerToken))
            {
                Names = ExpertNames.Default with { Router = "mlp.router" },
                RouterBias = true,
                ExpertBias = true,
                SwigluLimit = config.Real("swiglu_limit", 7),
            },
        };
        var attention = AttentionSpec.From(config, Rope) with { InputBias = bias, OutputBias = bias, Sinks = true };
        return DecoderSpec.From(config, attention, _ => experts) with { Window = layer => windows[layer] };
    }

    /// <summary>Files without rope_scaling mean the family's own.</summary>
    private static RopeDefaults Rope { get; } = new(Theta: 150_000)
    {
        Scaling = new RopeScaling.Yarn(Factor: 32, BetaFast: 32, BetaSlow: 1, Original: 4096, WholeSteps: false, RopeScaling.Yarn.UsualMagnitude(32)),
    };
}
