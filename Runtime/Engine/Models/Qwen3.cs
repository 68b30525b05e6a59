using Quilt.Formats.Checkpoints;

namespace Quilt.Runtime.Models;

/// <summary>
/// config.json "model_type": "qwen3" (Qwen 3, dense): QK norm for each head; the last layers may slide (source: Qwen3ForCausalLM of
/// transformers).
/// </summary>
internal static class Qwen3
{
    /// <summary>The architecture's facts, with the sizes of one checkpoint.</summary>
    /// <exception cref="Formats.BadInputException">The config asks for what this architecture does not have, or a value is out of range.</exception>
    public static DecoderSpec Describe(ModelConfig config)
    {
        var bias = config.Flag("attention_bias", false);
        var windows = Qwen2.Windows(config);
        var dense = new FeedForwardSpec { Dense = config.Intermediate };
        var attention = AttentionSpec.From(config, new(Theta: 1e4)) with { QkNorm = QkNorm.PerHead, InputBias = bias, OutputBias = bias };
        return DecoderSpec.From(config, attention, _ => dense) with { Window = layer => windows[layer] };
    }
}
