using System.Runtime.InteropServices;
using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Tensors;
using Quilt.Quantizer.Stitching;
using Quilt.Runtime;
using Quilt.Runtime.Models;

namespace Quilt.Quantizer.Repair;

/// <summary>What was mended.</summary>
/// <param name="Layers">Every router, by layer, as it was found.</param>
/// <param name="BytesWritten">Bytes of tensors in the files that were written anew.</param>
/// <param name="FilesWritten">Files of tensors written anew.</param>
/// <param name="FilesLinked">Files of tensors that are the published ones, under a second name.</param>
/// <param name="Warnings">What looks wrong but did not keep it from being done.</param>
internal sealed record RepairResult(IReadOnlyList<(int Layer, RouterFit Router)> Layers, long BytesWritten, int FilesWritten, int FilesLinked,
    IReadOnlyList<string> Warnings)
{
    /// <summary>Routers whose columns were multiplied.</summary>
    public int Repaired => Layers.Count(layer => layer.Router.State == RouterState.Uncompensated);
}

/// <summary>
/// Mends the routers of a checkpoint whose experts were smoothed and whose routers, which read the same norm, were not: each column is multiplied
/// with official norm / published norm. For the router that is exact: the rounding of the published norm cancels.
/// <para>
/// A file that holds a mended router is written anew, all others are the published ones. A small file of new routers beside the old ones would be
/// less work, but loaders differ in which of two tensors of one name they take.
/// </para>
/// <para>What is right already is left as it is, and the folder is written all the same: whatever there was to mend, its routers are right.</para>
/// </summary>
internal static class RouterRepairer
{
    /// <summary>Mends a folder's routers into another folder.</summary>
    /// <param name="officialFolder">The model before it was smoothed.</param>
    /// <param name="publishedFolder">The model whose routers are looked at.</param>
    /// <param name="output">A new or empty folder.</param>
    /// <param name="copy">Whether files that stay the same are copied, and not linked.</param>
    /// <param name="progress">Hears of every tensor written.</param>
    /// <param name="cancel">Ends it; nothing is left then.</param>
    /// <exception cref="BadInputException">
    /// The two do not fit, a router is neither the official one nor that times s, or the disk has not the room; nothing is written.
    /// </exception>
    public static RepairResult Run(string officialFolder, string publishedFolder, string output, bool copy,
        IProgress<LoadProgress>? progress = null, CancellationToken cancel = default)
    {
        AtomicFolder.CheckFree(output);
        using var official = Checkpoint.OpenHeaders(officialFolder);
        using var published = Checkpoint.OpenHeaders(publishedFolder);
        var layers = Look(official, published, cancel);
        var gates = layers.Where(layer => layer.Router.State == RouterState.Uncompensated)
            .ToDictionary(layer => published.Find($"{layer.Router.Router.Name}.weight")!.Name, layer => layer.Router, StringComparer.Ordinal);

        var files = published.Tensors.GroupBy(tensor => tensor.File).OrderBy(file => file.Key, StringComparer.Ordinal)
            .Select(file => (Path: file.Key, Tensors: file.ToList())).ToList();
        var changed = files.Where(file => file.Tensors.Exists(tensor => gates.ContainsKey(tensor.Name))).ToList();
        foreach (var (path, tensors) in changed) RefuseFused(path, tensors);
        var shards = changed.ConvertAll(file => (Name: Path.GetFileName(file.Path),
            Tensors: file.Tensors.ConvertAll(tensor => gates.TryGetValue(tensor.Name, out var gate)
                ? Repaired(official, published, tensor, gate)
                : TensorCopy.Of(published, tensor))));
        var same = files.Except(changed).Select(file => file.Path).ToList();
        var others = OtherFiles.Of(published.Folder);
        var written = shards.Sum(shard => shard.Tensors.Sum(SafeTensorsWriter.Bytes));

        var warnings = new WarningList();
        AtomicFolder.Write(output,
            written + (copy ? OtherFiles.Bytes("", same) : 0) + OtherFiles.Bytes(published.Folder, others), folder =>
        {
            var writer = new ShardWriter(folder, written, progress, cancel);
            foreach (var (name, tensors) in shards) writer.Write(name, tensors);
            foreach (var file in same) SameFile.Place(file, folder, copy, warnings, cancel);
            OtherFiles.Copy(published.Folder, others, folder, cancel);
            WriteIndex(published, folder, shards.SelectMany(shard => shard.Tensors));
            cancel.ThrowIfCancellationRequested();
        });
        return new RepairResult(layers, written, shards.Count, copy ? 0 : same.Count, [.. warnings.ToLines(), .. published.Warnings]);
    }

    /// <summary>Every router of a checkpoint held against the official one.</summary>
    /// <exception cref="BadInputException">The two do not fit, or a router is neither the official one nor that times s.</exception>
    public static IReadOnlyList<(int Layer, RouterFit Router)> Look(Checkpoint official, Checkpoint published, CancellationToken cancel)
    {
        var modules = new DecoderModules(SameSizes.Of(official, published));
        var found = new List<(int, RouterFit)>();
        foreach (var layer in modules.Layers)
        {
            cancel.ThrowIfCancellationRequested();
            if (layer.Experts is not { } experts) continue;
            var fit = RouterFit.Of(official, published, experts.Router, NormRatio.Of(official, published, layer.FeedForwardNorm));
            if (fit.State == RouterState.Unknown)
                throw new BadInputException(published.Folder, $"{experts.Router.Name}.weight", FormattableString.Invariant(
                    $"expected the official router, or that times official norm / published norm; it is {fit.OfficialDistance:P1} from the one ") +
                    FormattableString.Invariant($"and {fit.CompensatedDistance:P1} from the other"));
            found.Add((layer.Index, fit));
        }
        return found.Count > 0 ? found : throw published.Config.Bad("model_type", "expected a model with routed experts, found one without");
    }

    private static TensorToWrite Repaired(Checkpoint official, Checkpoint published, TensorEntry tensor, RouterFit fit) =>
        new(tensor.Name, DType.F32, tensor.Shape, stream => stream.Write(MemoryMarshal.AsBytes<float>(fit.Repaired(official, published))));

    // Parts of a tensor cannot be written as the tensor that they are parts of.
    private static void RefuseFused(string path, List<TensorEntry> tensors)
    {
        if (tensors.Find(tensor => tensor.Part is not null) is { } fused)
            throw new BadInputException(path, fused.Name,
                "expected experts one by one in a file that has to be written anew, found all in one tensor");
    }

    // A router that was bfloat16 has become float32.
    private static void WriteIndex(Checkpoint published, string folder, IEnumerable<TensorToWrite> written)
    {
        var path = Path.Combine(published.Folder, ShardIndex.FileName);
        if (!File.Exists(path)) return;
        var sizes = written.ToDictionary(tensor => tensor.Name, SafeTensorsWriter.Bytes, StringComparer.Ordinal);
        new ShardIndex(ShardIndex.Read(path).WeightMap, published.Tensors.Sum(tensor => sizes.GetValueOrDefault(tensor.Name, tensor.Length)))
            .Write(Path.Combine(folder, ShardIndex.FileName));
    }
}
