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
        var headDim = config.HeadDimOrShare;
        var bias = config.Flag("attention_bias", false);
        var dense = new FeedForwardSpec { Dense = config.Intermediate };
        return new()
        {
            Layers = config.Layers,
            Hidden = config.Hidden,
            VocabularySize = config.VocabularySize,
            NormEpsilon = config.NormEpsilon,
            Attention = new(config.Heads, config.KeyValueHeadsOrHeads, headDim, config.Rope(headDim, new(Theta: 1e4)), config.MaxPositions)
            {
                InputBias = bias,
                OutputBias = bias,
            },
            FeedForward = _ => dense,
        };
    }

    private static void Check(ModelConfig config)
    {
        config.Only("hidden_act", "silu");
        config.Only("mlp_bias", false);
        config.None("sliding_window");
        config.Windows(enabled: false, _ => false);
    }
}
