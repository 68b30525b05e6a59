using System.Globalization;
using System.Runtime.InteropServices;
using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Checkpoints.Storage;
using Quilt.Formats.Tensors;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights;
using Quilt.Quantizer.Stitching;
using Quilt.Runtime;
using Quilt.Runtime.Models;

namespace Quilt.Quantizer.Packing;

/// <summary>What was packed.</summary>
/// <param name="Files">Files of weights.</param>
/// <param name="Bytes">Bytes of their tensors.</param>
/// <param name="Source">SHA-256 of what was packed.</param>
/// <param name="Warnings">What looked wrong with it.</param>
internal sealed record PackResult(int Files, long Bytes, string Source, IReadOnlyList<string> Warnings);

/// <summary>
/// Writes a checkpoint with its weights as a processor's memory has them, so that opening it is mapping it (docs/packing.md). A file for each layer,
/// one in front for the embedding and one behind for the head; one matrix, or the stack of one of a layer's expert matrices, is held at a time.
/// </summary>
internal sealed class ModelPacker
{
    // Words, scales, zero points and groups of a module, and fillers; and of all that a layer has beside its stacks.
    private const int TensorsAModule = 8;
    private const int Plain = 12 * TensorsAModule;

    private readonly Checkpoint source;
    private readonly CpuDevice device;
    private readonly IProgress<LoadProgress>? progress;
    private readonly CancellationToken cancel;
    private readonly Dictionary<string, string> places = new(StringComparer.Ordinal);
    private readonly long total;
    private long done;
    private long bytes;

    private ModelPacker(Checkpoint source, CpuDevice device, IProgress<LoadProgress>? progress, CancellationToken cancel)
    {
        (this.source, this.device, this.progress, this.cancel) = (source, device, progress, cancel);
        total = source.Tensors.Sum(tensor => tensor.Length);
    }

    /// <summary>Packs a folder.</summary>
    /// <param name="model">A checkpoint that runs.</param>
    /// <param name="output">A new or empty folder.</param>
    /// <param name="progress">Hears of every matrix and stack.</param>
    /// <param name="cancel">Ends it; nothing is left then.</param>
    /// <exception cref="BadInputException">The checkpoint is wrong or packed already, the folder is taken, or the disk has not the room.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static PackResult Run(string model, string output, IProgress<LoadProgress>? progress = null, CancellationToken cancel = default)
    {
        AtomicFolder.CheckFree(output);
        using var checkpoint = Checkpoint.Open(model);
        checkpoint.RequireUnpacked();
        var spec = Architectures.Describe(checkpoint.Config);
        using var device = new CpuDevice();
        DecoderLimits.CheckOn(device, spec);
        var room = DecoderWeights.SizesOf(spec, new CheckpointParts(checkpoint, device, null, cancel)).Sum();
        var digest = PackedDigest.OfSource([Path.Combine(checkpoint.Folder, ModelConfig.FileName), .. checkpoint.WeightFiles], cancel);
        var others = OtherFiles.Of(checkpoint.Folder).ToList();
        var packer = new ModelPacker(checkpoint, device, progress, cancel);
        AtomicFolder.Write(output, room + OtherFiles.Bytes(checkpoint.Folder, others), folder =>
        {
            packer.Write(folder, spec, digest);
            OtherFiles.Copy(checkpoint.Folder, others, folder, cancel);
            cancel.ThrowIfCancellationRequested();
        });
        progress?.Report(new LoadProgress(packer.total, packer.total, "done"));
        return new(spec.Layers + 2, packer.bytes, digest, checkpoint.Warnings);
    }

    private void Write(string folder, DecoderSpec spec, string digest)
    {
        var modules = new DecoderModules(spec);
        var last = spec.Layers + 2;
        File(1, Plain, file => Add(file, modules.Embedding));
        foreach (var layer in modules.Layers) File(layer.Index + 2, Plain + Stacks(layer).Sum(Count), file => Add(file, layer));
        File(last, Plain, file =>
        {
            Add(file, modules.FinalNorm);
            if (!source.Config.TieEmbeddings || source.HasHead(modules.Head.Name)) Add(file, modules.Head);
        });
        new ShardIndex(places, bytes).Write(Path.Combine(folder, ShardIndex.FileName));

        void File(int number, int most, Action<PackedFile> fill)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"model-{number:00000}-of-{last:00000}.safetensors");
            using var file = new PackedFile(Path.Combine(folder, name), number, most, cancel);
            fill(file);
            file.Finish(digest);
            foreach (var tensor in file.Names) places.Add(tensor, name);
            bytes += file.Bytes;
        }
    }

    private void Add(PackedFile file, LayerModules layer)
    {
        foreach (var vector in layer.Vectors) Add(file, vector);
        foreach (var tensor in KvScaleTensors.Of(source, layer.Index))
        {
            var content = new byte[tensor.Length];
            source.Read(tensor, content);
            file.Add(tensor.Name, tensor.Type, tensor.Shape, content);
        }
        foreach (var module in layer.Attention) Add(file, module);
        foreach (var module in layer.Dense?.All ?? []) Add(file, module);
        if (layer.Experts is { } experts) Add(file, experts.Router);
        foreach (var stack in Stacks(layer)) Add(file, stack, isStack: true);
    }

    private static IEnumerable<ModuleShape[]> Stacks(LayerModules layer) => layer.Experts is not { } experts
        ? []
        : new Func<int, ModuleShape>[] { experts.Gate, experts.Up, experts.Down }
            .Select(matrix => Enumerable.Range(0, experts.Spec.Experts).Select(matrix).ToArray());

    // Most tensors of a stack, their fillers included: experts that are stored in different ways have theirs each.
    private int Count(ModuleShape[] stack)
    {
        var modules = Array.ConvertAll(stack, shape => source.Module(shape.Name, shape.Rows, shape.Columns));
        var alike = modules.All(module => module.Form == modules[0].Form && module.ReadGroupIndex() is null);
        return (TensorsAModule * (alike ? 1 : stack.Length)) + (stack[0].HasBias ? stack.Length : 0);
    }

    private void Add(PackedFile file, ModuleShape module) => Add(file, [module], isStack: false);

    private void Add(PackedFile file, ModuleShape[] stack, bool isStack)
    {
        cancel.ThrowIfCancellationRequested();
        var modules = Array.ConvertAll(stack, shape => source.Module(shape.Name, shape.Rows, shape.Columns));
        var name = isStack ? CheckpointParts.StackName(stack[0].Name) : stack[0].Name;
        using (var weight = WeightLoader.Load(device, source, modules, name))
        {
            if (weight is ExpertList list)
            {
                for (var e = 0; e < modules.Length; e++) file.Add(stack[e].Name, modules[e], 0, list.Weights[e].Memory!);
            }
            else
            {
                file.Add(name, modules[0], isStack ? stack.Length : 0, weight.Memory!);
            }
        }
        foreach (var shape in stack)
        {
            if (shape.HasBias) Add(file, shape.Bias);
        }
        done += modules.Sum(module => module.Bytes);
        progress?.Report(new LoadProgress(Math.Min(done, total), total, name));
    }

    // Float32, as they are held.
    private void Add(PackedFile file, VectorShape vector) =>
        file.Add(vector.Name, DType.F32, [vector.Length], MemoryMarshal.AsBytes(source.Vector(vector.Name, vector.Length).AsSpan()));
}
