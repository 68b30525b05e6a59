using BenchmarkDotNet.Attributes;
using Quilt.Formats.Checkpoints;
using Quilt.Perf.Columns;
using Quilt.Perf.Runtime;
using Quilt.Quantizer.Packing;
using Quilt.Runtime;
using Quilt.Runtime.Models;

namespace Quilt.Perf.Formats;

/// <summary>
/// Opening a checkpoint folder: headers alone, with all weights onto the device, and packed, which maps them. Files are in the system's cache.
/// </summary>
public class LoadBench : IMovesBytes
{
    private readonly string packed = Path.Combine(Path.GetTempPath(), $"quilt-packed-{Guid.NewGuid():N}");

    /// <summary>Bytes of all tensors; opening a packed folder leaves them where they are.</summary>
    public long BytesMoved
    {
        get
        {
            using var checkpoint = Checkpoint.Open(BenchModel.Folder);
            return checkpoint.Tensors.Sum(tensor => tensor.Length);
        }
    }

    [GlobalSetup(Target = nameof(Packed))]
    public void Pack() => ModelPacker.Run(BenchModel.Folder, packed);

    [GlobalCleanup(Target = nameof(Packed))]
    public void Remove() => Directory.Delete(packed, recursive: true);

    [Benchmark]
    public int Headers()
    {
        using var checkpoint = Checkpoint.Open(BenchModel.Folder);
        return checkpoint.Tensors.Count;
    }

    [Benchmark]
    public long Weights()
    {
        using var model = BenchModel.Open(new EngineOptions());
        return model.Decoder.Weights.Bytes;
    }

    [Benchmark]
    public long Packed()
    {
        using var model = LoadedModel.Open(packed, new EngineOptions(), null, default);
        return model.Decoder.Weights.Bytes;
    }
}
