using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Runtime.Models;

namespace Quilt.Quantizer.Quality;

/// <summary>Whether two models can be compared at all: token by token and expert by expert they must have the same places.</summary>
internal static class ComparedSizes
{
    /// <summary>Refuses a model that is not of the official one's architecture, sizes and vocabulary.</summary>
    /// <exception cref="BadInputException">It differs; the message names where.</exception>
    public static void Check((ModelConfig Config, DecoderSpec Spec) model, (ModelConfig Config, DecoderSpec Spec) official)
    {
        foreach (var (key, ours, theirs) in Sizes(model).Zip(Sizes(official), (ours, theirs) => (ours.Key, ours.Value, theirs.Value)))
        {
            if (!Equals(ours, theirs)) throw model.Config.Bad(key, $"expected {theirs}, as the official model has, found {ours}");
        }
    }

    // Layers stand before what is counted layer by layer, so that the lists are equally long where that is reached.
    private static IEnumerable<(string Key, object Value)> Sizes((ModelConfig Config, DecoderSpec Spec) model)
    {
        var spec = model.Spec;
        yield return ("model_type", model.Config.ModelType);
        yield return ("num_hidden_layers", spec.Layers);
        yield return ("hidden_size", spec.Hidden);
        yield return ("vocab_size", spec.VocabularySize);
        yield return ("num_attention_heads", spec.Attention.Heads);
        yield return ("num_key_value_heads", spec.Attention.KeyValueHeads);
        yield return ("head_dim", spec.Attention.HeadDim);
        for (var layer = 0; layer < spec.Layers; layer++)
        {
            var part = spec.FeedForward(layer);
            yield return ($"dense width of layer {layer}", part.Dense);
            yield return ($"experts of layer {layer}", part.Experts?.Experts ?? 0);
            yield return ($"experts for a token in layer {layer}", part.Experts?.PerToken ?? 0);
            yield return ($"width inside an expert of layer {layer}", part.Experts?.Hidden ?? 0);
        }
    }
}
