using System.Globalization;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Tensors;
using Quilt.Kernels.Ops;

namespace Quilt.Runtime.Models;

/// <summary>
/// The scales that a checkpoint brings for a cache in FP8, one for the keys of a layer and one for its values; a code times the scale is the number.
/// Tools write them under several names (docs/checkpoints.md, "Scales of the cache").
/// </summary>
internal static class KvScaleTensors
{
    private static readonly (string Key, string Value)[] Names =
    [
        ("k_scale", "v_scale"),
        ("attn.k_scale", "attn.v_scale"),
        ("k_proj.k_scale", "v_proj.v_scale"),
        ("k_proj.output_scale", "v_proj.output_scale"),
        ("kv_scale", "kv_scale"),
    ];

    /// <summary>A layer's scales; null where there are none. What cannot be used is warned about and passed over.</summary>
    /// <exception cref="Formats.BadInputException">A file has become shorter, or the disk failed.</exception>
    public static KvScales? Read(Checkpoint checkpoint, int layer)
    {
        var prefix = string.Create(CultureInfo.InvariantCulture, $"model.layers.{layer}.self_attn.");
        foreach (var (key, value) in Names)
        {
            var (keys, values) = (checkpoint.Find(prefix + key), checkpoint.Find(prefix + value));
            if (keys is null && values is null) continue;
            if (keys is null || values is null)
            {
                Warn(checkpoint, keys ?? values!, $"expected {prefix}{(keys is null ? key : value)} beside it, found none");
                return null;
            }
            return Read(checkpoint, keys) is { } ofKeys && Read(checkpoint, values) is { } ofValues ? new KvScales(ofKeys, ofValues) : null;
        }
        return null;
    }

    /// <summary>All tensors under such names that a layer has.</summary>
    public static IEnumerable<TensorEntry> Of(Checkpoint checkpoint, int layer) => Names.SelectMany(pair => new[] { pair.Key, pair.Value }).Distinct()
        .Select(name => checkpoint.Find(string.Create(CultureInfo.InvariantCulture, $"model.layers.{layer}.self_attn.{name}")))
        .OfType<TensorEntry>();

    private static float? Read(Checkpoint checkpoint, TensorEntry tensor)
    {
        var count = 1L;
        foreach (var dimension in tensor.Shape) count = count is 0 or 1 ? count * dimension : count;
        if (count != 1 || tensor.Type is not (DType.F32 or DType.BF16 or DType.F16))
        {
            Warn(checkpoint, tensor, $"expected one value in F32, BF16 or F16, found {tensor.Type.FileName()} {tensor.ShapeText}");
            return null;
        }
        var bytes = new byte[tensor.Length];
        checkpoint.Read(tensor, bytes);
        var value = new float[1];
        TensorValues.ToFloats(tensor.Type, bytes, value);
        if (value[0] is >= KvScales.Least and <= KvScales.Most) return value[0];
        Warn(checkpoint, tensor, string.Create(CultureInfo.InvariantCulture, $"expected a scale of 2^-40 to 2^40, found {value[0]}"));
        return null;
    }

    private static void Warn(Checkpoint checkpoint, TensorEntry tensor, string problem) =>
        checkpoint.Warn(tensor.Label, $"{problem}; in a cache of fp8 the keys and values of this layer have scales of their own");
}
