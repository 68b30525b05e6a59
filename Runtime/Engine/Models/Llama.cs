using Quilt.Formats.Checkpoints;

namespace Quilt.Runtime.Models;

/// <summary>
/// config.json "model_type": "llama" (Llama 1 to 3.3 and the many models of that shape): dense, no QK norm, rotation over the whole head, which Llama
/// 3.1 scales (source: LlamaForCausalLM of transformers).
/// </summary>
internal static class Llama
{
    /// <summary>The architecture's facts, with the sizes of one checkpoint.</summary>
    /// <exception cref="Formats.BadInputException">The config asks for what this architecture does not have, or a value is out of range.</exception>
    public static DecoderSpec Describe(ModelConfig config)
    {
        Check(config);
        var bias = config.Flag("attention_bias", false);
        var dense = new FeedForwardSpec { Dense = config.Intermediate };
        var attention = AttentionSpec.From(config, new(Theta: 1e4), config.HeadDimOrShare, config.KeyValueHeadsOrHeads) with
        {
            InputBias = bias,
            OutputBias = bias,
        };
        return DecoderSpec.From(config, attention, _ => dense);
    }

    private static void Check(ModelConfig config)
    {
        config.Only("mlp_bias", false);
        config.None("sliding_window");
        config.Windows(enabled: false, _ => false);
    }
}
