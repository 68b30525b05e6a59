using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Tensors;
using Quilt.Quantizer.Repair;
using Quilt.Runtime;
using Quilt.Runtime.Models;

namespace Quilt.Quantizer.Stitching;

/// <summary>What was stitched.</summary>
/// <param name="Tensors">Tensors written.</param>
/// <param name="Bytes">Their bytes.</param>
/// <param name="Layers">By layer what the norm in front of the experts was divided by.</param>
/// <param name="Warnings">What looks wrong but did not keep it from being done.</param>
internal sealed record StitchResult(int Tensors, long Bytes, IReadOnlyList<NormRatio> Layers, IReadOnlyList<string> Warnings);

/// <summary>
/// One checkpoint out of two: attention and all else from the official FP8 one, experts and the norm in front of them from one whose experts were
/// quantized with AWQ. Shard by shard; what is held in memory is one layer's w1 of a few experts while the two are compared, and a megabyte after.
/// </summary>
internal static class Stitcher
{
    /// <summary>Stitches two folders.</summary>
    /// <param name="officialFolder">FP8 in blocks.</param>
    /// <param name="awqFolder">Packed experts; the rest of it is not used.</param>
    /// <param name="output">A new or empty folder.</param>
    /// <param name="repairRouters">
    /// Whether routers, which read the smoothed norm too, are multiplied with what it was divided by; the published rule does not.
    /// </param>
    /// <param name="progress">Hears of every tensor written.</param>
    /// <param name="cancel">Ends it; nothing is left then.</param>
    /// <exception cref="BadInputException">The two do not fit, or the disk has not the room; nothing is written.</exception>
    public static StitchResult Run(string officialFolder, string awqFolder, string output, bool repairRouters,
        IProgress<LoadProgress>? progress = null, CancellationToken cancel = default)
    {
        AtomicFolder.CheckFree(output);
        using var official = Checkpoint.OpenHeaders(officialFolder);
        using var awq = Checkpoint.OpenHeaders(awqFolder);
        var warnings = new WarningList();
        var spec = StitchCheck.Sizes(official, awq);
        var modules = new DecoderModules(spec);
        StitchCheck.Official(official, modules);
        var codes = ExpertCodes.Of(awq, modules.Layers.SelectMany(layer => layer.Experts!.All));
        StitchCheck.SameModel(official, awq, modules);
        var ratios = new List<NormRatio>();
        foreach (var layer in modules.Layers)
        {
            cancel.ThrowIfCancellationRequested();
            ratios.Add(StitchCheck.Layer(official, awq, layer, warnings));
        }
        if (!repairRouters && ratios.Max(ratio => ratio.MaxAbsLog2) is var worst and > 0)
            warnings.Add("routers", FormattableString.Invariant(
                $"read norms that were divided by s with |log2 s| up to {worst:0.###} and are not multiplied with it; --repair-router does that"));
        if (QuantConfigReader.Read(official.Config, warnings).Fp8Block is not { } block)
            throw official.Config.Bad("quantization_config", "expected \"quant_method\": \"fp8\" with weight_block_size, found another kind");

        var shards = Shards(official, new StitchRule(official, awq, repairRouters ? ratios : null), spec.Layers, warnings);
        var total = shards.Values.Sum(shard => shard.Sum(SafeTensorsWriter.Bytes));
        var others = OtherFiles.Of(official.Folder).Where(file => file != ModelConfig.FileName).ToList();
        AtomicFolder.Write(output, total + OtherFiles.Bytes(official.Folder, others), folder =>
        {
            var writer = new ShardWriter(folder, total, progress, cancel);
            foreach (var (name, tensors) in shards) writer.Write(name, tensors);
            new ShardIndex(shards.SelectMany(shard => shard.Value.Select(tensor => (tensor.Name, shard.Key))).ToDictionary(), total)
                .Write(Path.Combine(folder, ShardIndex.FileName));
            StitchedConfig.Write(Path.Combine(folder, ModelConfig.FileName), official.Config, block, codes);
            OtherFiles.Copy(official.Folder, others, folder, cancel);
            cancel.ThrowIfCancellationRequested();
        });
        return new StitchResult(shards.Values.Sum(shard => shard.Count), total, ratios,
            [.. warnings.ToLines(), .. official.Warnings, .. awq.Warnings]);
    }

    // Layers behind the last are for predicting several tokens at once, which nothing here does.
    private static SortedDictionary<string, List<TensorToWrite>> Shards(Checkpoint official, StitchRule rule, int layers, WarningList warnings)
    {
        var shards = new SortedDictionary<string, List<TensorToWrite>>(StringComparer.Ordinal);
        foreach (var tensor in official.Tensors)
        {
            if (TensorNames.LayerOf(tensor.Name) >= layers)
            {
                warnings.Add(tensor.Name, $"is of a layer behind the {layers} of the model and is left out");
                continue;
            }
            var name = StitchRule.Shard(Path.GetFileName(tensor.File));
            if (!shards.TryGetValue(name, out var shard)) shards.Add(name, shard = []);
            shard.AddRange(rule.Apply(tensor));
        }
        foreach (var empty in shards.Where(shard => shard.Value.Count == 0).Select(shard => shard.Key).ToList()) shards.Remove(empty);
        return shards;
    }
}
