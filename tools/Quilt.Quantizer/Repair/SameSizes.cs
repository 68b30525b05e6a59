using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Runtime.Models;

namespace Quilt.Quantizer.Repair;

/// <summary>Two checkpoints of one model have the same sizes, by their configs.</summary>
internal static class SameSizes
{
    /// <summary>The sizes that both have.</summary>
    /// <exception cref="BadInputException">One does not run, or a size differs; the message names the key.</exception>
    public static DecoderSpec Of(Checkpoint official, Checkpoint model)
    {
        var (wanted, found) = (Architectures.Describe(official.Config), Architectures.Describe(model.Config));
        Same("num_hidden_layers", wanted.Layers, found.Layers);
        Same("hidden_size", wanted.Hidden, found.Hidden);
        Same("num_attention_heads", wanted.Attention.Heads, found.Attention.Heads);
        Same("num_key_value_heads", wanted.Attention.KeyValueHeads, found.Attention.KeyValueHeads);
        Same("head_dim", wanted.Attention.HeadDim, found.Attention.HeadDim);
        Same("vocab_size", wanted.VocabularySize, found.VocabularySize);
        Same("the number of experts", wanted.Experts?.Experts ?? 0, found.Experts?.Experts ?? 0);
        Same("num_experts_per_tok", wanted.Experts?.PerToken ?? 0, found.Experts?.PerToken ?? 0);
        Same("the width inside an expert", wanted.Experts?.Hidden ?? 0, found.Experts?.Hidden ?? 0);
        return found;

        void Same(string key, int expected, int actual)
        {
            if (expected != actual) throw model.Config.Bad(key, $"expected {expected}, as {official.Config.Source} says, found {actual}");
        }
    }
}
