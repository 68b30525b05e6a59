using Quilt.Formats.Tensors;

namespace Quilt.Quantizer.Output;

/// <summary>A file of the result.</summary>
/// <param name="File">Its name.</param>
/// <param name="Tensors">Its tensors, in the order of the model, and the part that each is of.</param>
internal sealed record Shard(string File, IReadOnlyList<(OutputPart Part, OutputTensor Tensor)> Tensors)
{
    /// <summary>Bytes of its tensors.</summary>
    public long Bytes { get; } = Tensors.Sum(tensor => tensor.Tensor.Bytes);

    /// <summary>The parts it takes tensors from.</summary>
    public IEnumerable<OutputPart> Parts => Tensors.Select(tensor => tensor.Part).Distinct();
}

/// <summary>
/// The files of a result: neighbouring tensors up to a size, a larger tensor alone; one file without number where all fits into one.
/// </summary>
internal static class ShardPlan
{
    /// <summary>The only file, where there is one.</summary>
    public const string Single = "model.safetensors";

    /// <summary>Cuts the tensors of all parts into files.</summary>
    public static IReadOnlyList<Shard> Cut(IReadOnlyList<OutputPart> parts, long shardBytes)
    {
        var files = new List<List<(OutputPart, OutputTensor)>> { new() };
        var bytes = 0L;
        foreach (var part in parts)
        {
            foreach (var tensor in part.Tensors)
            {
                if (bytes > 0 && bytes + tensor.Bytes > shardBytes)
                {
                    files.Add([]);
                    bytes = 0;
                }
                files[^1].Add((part, tensor));
                bytes += tensor.Bytes;
            }
        }
        return files.Count == 1
            ? [new Shard(Single, files[0])]
            : [.. files.Select((file, i) => new Shard(FormattableString.Invariant($"model-{i + 1:00000}-of-{files.Count:00000}.safetensors"), file))];
    }

    /// <summary>The index over the files; null where there is but one.</summary>
    public static ShardIndex? Index(IReadOnlyList<Shard> shards) => shards.Count == 1
        ? null
        : new ShardIndex(shards.SelectMany(shard => shard.Tensors.Select(tensor => (tensor.Tensor.Name, shard.File)))
            .ToDictionary(pair => pair.Name, pair => pair.File, StringComparer.Ordinal), shards.Sum(shard => shard.Bytes));
}
