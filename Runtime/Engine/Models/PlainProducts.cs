using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;

namespace Quilt.Runtime.Models;

/// <summary>What a GPU with tensor cores has to multiply without them.</summary>
internal static class PlainProducts
{
    /// <summary>A share of all weights below this is not worth a word.</summary>
    private const double LeastShare = 0.01;

    /// <summary>
    /// Names the first of them and says how many there are; null where the device has no tensor cores, or such weights are none or a trifle.
    /// </summary>
    public static string? Warning(GpuDevice device, DecoderWeights weights)
    {
        if (!device.Traits.TensorCores) return null;
        var plain = weights.Products.Where(weight => !weight.SuitsTensorCores).ToArray();
        if (plain.Sum(weight => weight.Bytes) < LeastShare * weights.Bytes || plain is not [var first, ..]) return null;
        var shape = first.Experts == 1 ? $"[{first.Rows}, {first.Columns}]" : $"[{first.Experts}, {first.Rows}, {first.Columns}]";
        var others = plain.Length switch { 1 => " is", 2 => " and 1 more weight are", var count => $" and {count - 1} more weights are" };
        return $"{device.Name}: {first.Name} ({first.Format} {shape}){others} multiplied without tensor cores, which is slower: these take " +
            $"bf16, fp8 and int4 with rows of whole steps and groups of 32, 64, 128 … columns";
    }

    /// <summary>Why attention over a cache uses no tensor cores; null if it does, or the device has none.</summary>
    public static string? AttentionWarning(GpuDevice device, DecoderSpec spec, KvType cache)
    {
        var headDim = spec.Attention.HeadDim;
        if (!device.Traits.TensorCores || PagedAttentionOp.HasTensorKernel(headDim, cache)) return null;
        const string Slower = "attention runs without tensor cores, which is slower: these take";
        return PagedAttentionOp.HasTensorKernel(headDim, KvType.BFloat16)
            ? $"{Slower} keys and values in bfloat16 (--kv-cache-dtype, KvType), found {cache.ToString().ToLowerInvariant()}"
            : $"{Slower} heads of 64 or 128 values, found {headDim}";
    }
}
