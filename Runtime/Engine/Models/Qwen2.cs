using Quilt.Formats.Checkpoints;

namespace Quilt.Runtime.Models;

/// <summary>
/// config.json "model_type": "qwen2" (Qwen 2 and 2.5, dense): biases on queries, keys and values, no QK norm; the last layers may slide
/// (source: Qwen2ForCausalLM of transformers).
/// </summary>
internal static class Qwen2
{
    /// <summary>The architecture's facts, with the sizes of one checkpoint.</summary>
    /// <exception cref="Formats.BadInputException">The config asks for what this architecture does not have, or a value is out of range.</exception>
    public static DecoderSpec Describe(ModelConfig config)
    {
        config.Only("use_mrope", false);
        var windows = Windows(config);
        var dense = new FeedForwardSpec { Dense = config.Intermediate };
        var attention = AttentionSpec.From(config, new(Theta: 1e4), config.HeadDimOrShare) with { InputBias = true };
        return DecoderSpec.From(config, attention, _ => dense) with { Window = layer => windows[layer] };
    }

    /// <summary>Layers from max_window_layers on slide, if use_sliding_window says that any does.</summary>
    internal static int[] Windows(ModelConfig config)
    {
        var slides = config.Flag("use_sliding_window", false) && config.Has("sliding_window");
        var first = slides && !config.Has("layer_types") ? config.Count("max_window_layers", 28) : 0;
        return config.Windows(slides, layer => layer >= first);
    }
}
