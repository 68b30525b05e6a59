using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Numerics;
using Quilt.Formats.Tensors;
using Quilt.Runtime.Models;

namespace Quilt.Tests.TinyModels;

/// <summary>A copy of a checkpoint folder with every weight dequantized and stored as bfloat16, deleted at the end.</summary>
internal sealed class DequantizedFolder : IDisposable
{
    public DequantizedFolder(string source)
    {
        Directory.CreateDirectory(Path);
        var config = JsonNode.Parse(File.ReadAllText(System.IO.Path.Combine(source, ModelConfig.FileName)))!.AsObject();
        config.Remove("quantization_config");
        File.WriteAllText(System.IO.Path.Combine(Path, ModelConfig.FileName), config.ToJsonString());

        using var checkpoint = Checkpoint.Open(source);
        var modules = Modules(checkpoint).Select(module => new TensorToWrite($"{module.Name}.weight", DType.BF16, [module.Rows, module.Columns],
            MemoryMarshal.AsBytes<BFloat16>(Array.ConvertAll(checkpoint.Module(module.Name, module.Rows, module.Columns).Dequantize(),
                value => (BFloat16)value)).ToArray()));
        var vectors = checkpoint.Tensors.Where(tensor => tensor.Shape.Length == 1 && tensor.Type == DType.BF16).Select(tensor =>
        {
            var bytes = new byte[tensor.Length];
            checkpoint.Read(tensor, bytes);
            return new TensorToWrite(tensor.Name, tensor.Type, tensor.Shape, bytes);
        });
        SafeTensorsWriter.Write(System.IO.Path.Combine(Path, "model.safetensors"), [.. modules, .. vectors]);
    }

    public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"quilt-dequantized-{Guid.NewGuid():N}");

    /// <summary>Every linear module of a checkpoint's architecture.</summary>
    public static IEnumerable<ModuleShape> Modules(Checkpoint checkpoint)
    {
        var modules = new DecoderModules(Architectures.Describe(checkpoint.Config));
        yield return modules.Embedding;
        if (!checkpoint.Config.TieEmbeddings) yield return modules.Head;
        foreach (var layer in modules.Layers)
        {
            foreach (var module in layer.Attention.Concat(layer.Dense?.All ?? [])) yield return module;
            if (layer.Experts is not { } experts) continue;
            yield return experts.Router;
            foreach (var module in experts.All) yield return module;
        }
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
