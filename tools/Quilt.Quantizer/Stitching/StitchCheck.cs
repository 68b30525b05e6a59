using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Checkpoints.Storage;
using Quilt.Quantizer.Repair;
using Quilt.Runtime.Models;

namespace Quilt.Quantizer.Stitching;

/// <summary>
/// Refuses pairs of checkpoints that would stitch without a word and answer nonsense: other sizes, another model's or run's experts, tensors that are
/// missing on the side they are to come from.
/// </summary>
internal static class StitchCheck
{
    /// <summary>How far, in log2, the middle of s may be from 1, where one run of AWQ scales it to.</summary>
    private const double MostMid = 0.1;

    /// <summary>Holds config against config.</summary>
    /// <exception cref="BadInputException">They are not of one model, or not of the family whose rule this is.</exception>
    public static DecoderSpec Sizes(Checkpoint official, Checkpoint awq)
    {
        foreach (var config in (ModelConfig[])[official.Config, awq.Config])
        {
            if (config.ModelType != "minimax_m2")
                throw config.Bad("model_type", $"expected \"minimax_m2\", the family that is stitched, found \"{config.ModelType}\"");
        }
        return SameSizes.Of(official, awq);
    }

    /// <summary>Every module of the official side: FP8 in blocks where attention and experts are, and of the architecture's shapes.</summary>
    /// <exception cref="BadInputException">One is missing, stored otherwise, or has two scales.</exception>
    public static void Official(Checkpoint official, DecoderModules modules)
    {
        foreach (var shape in modules.Layers.SelectMany(layer => layer.Attention.Concat(layer.Experts!.All)))
        {
            var module = official.Module(shape.Name, shape.Rows, shape.Columns);
            if (module.Form is not { Codes: CodeType.Float8 } || module.Tensors.Count < 2)
                throw new BadInputException(module.Tensors[0].File, module.Tensors[0].Name,
                    $"expected FP8 in blocks, as the official checkpoint is stored, found {module.Scheme}");
        }
        foreach (var shape in modules.Layers.Select(layer => layer.Experts!.Router).Append(modules.Embedding).Append(modules.Head))
            official.Module(shape.Name, shape.Rows, shape.Columns);
    }

    /// <summary>The norms that no smoothing touches are the same on both sides, or the experts are another model's.</summary>
    /// <exception cref="BadInputException">They are not.</exception>
    public static void SameModel(Checkpoint official, Checkpoint awq, DecoderModules modules)
    {
        foreach (var norm in modules.Layers.SelectMany(layer => new[] { layer.AttentionNorm, layer.QueryNorm, layer.KeyNorm })
            .OfType<VectorShape>().Append(modules.FinalNorm))
        {
            if (awq.Find(norm.Name) is not { } tensor) continue;
            var (wanted, found) = (official.Vector(norm.Name, norm.Length), awq.Vector(norm.Name, norm.Length));
            var at = wanted.AsSpan().CommonPrefixLength(found);
            if (at < wanted.Length)
                throw new BadInputException(tensor.File, tensor.Name, FormattableString.Invariant(
                    $"expected the official values, found {found[at]} for {wanted[at]} at index {at}: the experts are another model's"));
        }
    }

    /// <summary>What one layer's norm was divided by; its experts must have been multiplied with the same.</summary>
    /// <exception cref="BadInputException">The norm is missing on the side of the experts, or does not belong to them.</exception>
    public static NormRatio Layer(Checkpoint official, Checkpoint awq, LayerModules layer, WarningList warnings)
    {
        var norm = layer.FeedForwardNorm;
        if (awq.Find(norm.Name) is not { } tensor)
            throw new BadInputException(awq.Folder, norm.Name,
                "expected this tensor, which the experts' inputs go through, found none; the official one does not fit them");
        var ratio = NormRatio.Of(official, awq, norm);
        var fit = NormFit.Of(official, awq, layer, ratio);
        if (!fit.IsOfOneModel)
            throw new BadInputException(awq.Folder, layer.Experts!.Gate(0).Name,
                "expected the official weight, quantized, found one that has nothing in common with it: the experts are another model's");
        if (!fit.Fits)
            throw new BadInputException(tensor.File, tensor.Name, "expected the norm that goes with the experts' w1, found one that is off by " +
                FormattableString.Invariant($"a factor of {Math.Pow(2, fit.Distance):0.##} a column"));
        if (ratio.IsIdentity)
            warnings.Add(norm.Name, "is the official norm: the experts were quantized without smoothing");
        else if (Math.Abs(Math.Log2(ratio.GeometricMid)) > MostMid)
            warnings.Add(norm.Name, FormattableString.Invariant(
                $"official / smoothed norm has its middle, sqrt(max * min), at {ratio.GeometricMid:0.###}; AWQ scales it to 1"));
        return ratio;
    }
}
