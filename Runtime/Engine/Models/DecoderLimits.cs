using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;

namespace Quilt.Runtime.Models;

/// <summary>
/// Holds the products of a model's sizes to <see cref="SizeLimits"/>, before anything is made of them; each size alone was held to its limit when it
/// was read.
/// </summary>
internal static class DecoderLimits
{
    /// <summary>Refuses what is too large.</summary>
    /// <exception cref="BadInputException">A product is; the message names the keys.</exception>
    public static void Check(ModelConfig config, DecoderSpec spec)
    {
        var attention = spec.Attention;
        AtMost(SizeLimits.AttentionWidth, "num_attention_heads x head_dim", attention.Heads, attention.HeadDim);
        AtMost(SizeLimits.CacheWidth, "num_hidden_layers x num_key_value_heads x head_dim", spec.Layers, attention.KeyValueHeads, attention.HeadDim);
        for (var layer = 0; layer < spec.Layers; layer++)
        {
            if (spec.FeedForward(layer).Experts is { } experts)
                AtMost(SizeLimits.RoutedWidth, "num_experts_per_tok x the width inside an expert", experts.PerToken, experts.Hidden);
        }

        void AtMost(long most, string keys, params ReadOnlySpan<long> sizes)
        {
            var product = 1L;
            foreach (var size in sizes) product *= size;
            if (product > most) throw config.Bad(keys, $"expected at most {most}, found {string.Join(" x ", sizes.ToArray())} = {product}");
        }
    }

    /// <summary>Refuses what the kernels of a GPU do not take, which a CPU's do.</summary>
    /// <exception cref="NotSupportedException">It does not; the message says what.</exception>
    public static void CheckOn(Device device, DecoderSpec spec)
    {
        if (device is not GpuDevice gpu) return;
        if (spec.Attention.HeadDim > PagedAttentionOp.MostHeadDim)
            throw new NotSupportedException(
                $"{gpu.Name}: expected heads of at most {PagedAttentionOp.MostHeadDim} values on a GPU, found {spec.Attention.HeadDim}.");
        if (spec.Experts is { } experts && experts.Experts > RouteOp.MostExpertsOnGpu)
            throw new NotSupportedException(
                $"{gpu.Name}: expected at most {RouteOp.MostExpertsOnGpu} experts of a layer on a GPU, found {experts.Experts}.");
    }
}
