using Quilt.Formats.Tensors;
using Quilt.Runtime;

namespace Quilt.Quantizer.Stitching;

/// <summary>Writes shards one after another and tells how far it is; no tensor is held in memory.</summary>
internal sealed class ShardWriter(string folder, long total, IProgress<LoadProgress>? progress, CancellationToken cancel)
{
    private static readonly Dictionary<string, string> Metadata = new() { ["format"] = "pt" };     // other loaders refuse a file without it
    private long done;

    /// <summary>Writes one shard.</summary>
    /// <exception cref="OperationCanceledException">Cancelled; the shard is not there.</exception>
    public void Write(string name, IEnumerable<TensorToWrite> tensors) =>
        SafeTensorsWriter.Write(Path.Combine(folder, name), [.. tensors.Select(Counted)], Metadata, cancel);

    private TensorToWrite Counted(TensorToWrite tensor) => tensor with
    {
        WriteTo = stream =>
        {
            tensor.WriteTo(stream);
            progress?.Report(new LoadProgress(done += SafeTensorsWriter.Bytes(tensor), total, tensor.Name));
        },
    };
}
