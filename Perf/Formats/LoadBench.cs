using BenchmarkDotNet.Attributes;
using Quilt.Formats.Checkpoints;
using Quilt.Perf.Runtime;
using Quilt.Runtime;

namespace Quilt.Perf.Formats;

/// <summary>Opening a checkpoint folder: headers alone, and with all weights onto the device.</summary>
public class LoadBench
{
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
}
