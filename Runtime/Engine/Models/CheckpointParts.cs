using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Checkpoints.Storage;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Kernels.Weights;

namespace Quilt.Runtime.Models;

/// <summary>A decoder's weights as a checkpoint holds them; what is read is checked on the way.</summary>
/// <param name="checkpoint">The checkpoint.</param>
/// <param name="device">Where weights go; null: nobody asks for more than sizes.</param>
/// <param name="progress">Hears how far reading has come.</param>
/// <param name="cancel">Stops it.</param>
/// <exception cref="BadInputException">A tensor is missing, has another shape or holds impossible values.</exception>
/// <exception cref="OperationCanceledException">Cancelled.</exception>
internal sealed class CheckpointParts(Checkpoint checkpoint, Device? device, IProgress<LoadProgress>? progress, CancellationToken cancel)
    : IDecoderParts
{
    private readonly long total = checkpoint.Tensors.Sum(tensor => tensor.Length);
    private string last = "";
    private long done;

    /// <summary>What a stack is called, by the name of its first module.</summary>
    public static string StackName(string first) => first.Replace(".experts.0.", ".experts.", StringComparison.Ordinal);

    public bool AreMapped => checkpoint.IsPacked && device is CpuDevice;

    public Weight Weight(ModuleShape[] stack)
    {
        cancel.ThrowIfCancellationRequested();
        var modules = Array.ConvertAll(stack, Find);
        last = StackName(stack[0].Name);
        var weight = WeightLoader.Load(device!, checkpoint, modules, last);
        foreach (var module in modules) done += module.Bytes;
        progress?.Report(new LoadProgress(done, total, last));
        return weight;
    }

    // The experts of a layer are stored alike, or nearly so: the first stands for all.
    public long Bytes(ModuleShape[] stack) => stack.Length * WeightLoader.Bytes(Find(stack[0]));

    public void Fill(VectorShape vector, Span<float> into)
    {
        checkpoint.Vector(vector.Name, vector.Whole ?? vector.Length).AsSpan(vector.First, vector.Length).CopyTo(into);
        done += checkpoint.Find(vector.Name)!.Length;
    }

    public KvScales? CacheScales(int layer) => KvScaleTensors.Read(checkpoint, layer);

    public bool HeadIsEmbedding(ModuleShape head) => checkpoint.Config.TieEmbeddings && !checkpoint.HasHead(head.Name);

    // Tensors that no weight is made of, such as the shapes beside packed codes, are passed over at the end.
    public void Finish() => progress?.Report(new LoadProgress(total, total, last));

    private StoredModule Find(ModuleShape module)
    {
        if (module.Cut is not { } cut) return checkpoint.Module(module.Name, module.Rows, module.Columns);
        return checkpoint.Module(module.Name, cut.Rows, cut.Columns).Part(cut.FirstRow, module.Rows, cut.FirstColumn, module.Columns);
    }
}
