using System.Text.Json.Nodes;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Tensors;
using Quilt.Quantizer;
using Quilt.Quantizer.Output;
using Quilt.Quantizer.Recipes;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Quantizer.Plan;

/// <summary>Tiny sources to quantize, in a folder that is deleted at the end.</summary>
internal sealed class SourceFolder : IDisposable
{
    public SourceFolder() => Directory.CreateDirectory(Path);

    public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"quilt-source-{Guid.NewGuid():N}");

    /// <summary>A MiniMax with its weights in bfloat16, routers and their corrections in float32.</summary>
    public string Dense()
    {
        var path = System.IO.Path.Combine(Path, "dense");
        if (Directory.Exists(path)) return path;
        Directory.CreateDirectory(path);
        using var tiny = new TinyFolder();
        var config = JsonNode.Parse(File.ReadAllText(System.IO.Path.Combine(tiny.Path, ModelConfig.FileName)))!.AsObject();
        config.Remove("quantization_config");
        File.WriteAllText(System.IO.Path.Combine(path, ModelConfig.FileName), config.ToJsonString());
        using var checkpoint = Checkpoint.Open(tiny.Path);
        var modules = DequantizedFolder.Modules(checkpoint).Select(module =>
        {
            var stored = checkpoint.Module(module.Name, module.Rows, module.Columns);
            var type = stored.Scheme == "f32" ? DType.F32 : DType.BF16;
            return new TensorToWrite($"{module.Name}.weight", type, [module.Rows, module.Columns], FloatBytes.Encode(type, stored.Dequantize()));
        });
        var vectors = checkpoint.Tensors.Where(tensor => tensor.Shape.Length == 1 && tensor.Type is (DType.BF16 or DType.F32)).Select(tensor =>
        {
            var bytes = new byte[tensor.Length];
            checkpoint.Read(tensor, bytes);
            return new TensorToWrite(tensor.Name, tensor.Type, tensor.Shape, bytes);
        });
        SafeTensorsWriter.Write(System.IO.Path.Combine(path, "model.safetensors"), [.. modules, .. vectors]);
        return path;
    }

    /// <summary>The same as its publishers have it: FP8 in blocks of 128 x 128.</summary>
    public string Official() => Quantized(Dense(), RecipePresets.Recipe("fp8-blocks"), "official");

    /// <summary>What a recipe makes of a source.</summary>
    public string Quantized(string source, Recipe recipe, string name)
    {
        var path = System.IO.Path.Combine(Path, name);
        using var checkpoint = Checkpoint.Open(source);
        Quantizing.Run(checkpoint, path, recipe, threads: 2);
        return path;
    }

    /// <summary>A recipe of one QuantizationModifier.</summary>
    public static Recipe Recipe(string modifier) => RecipeReader.Parse($"m_modifiers: {{QuantizationModifier: {{{modifier}}}}}", "recipe.yaml");

    /// <summary>Groups of 32 in four bits for some targets.</summary>
    public static Recipe Int4(string targets, string ignore = "", string more = "") => Recipe(
        $"config_groups: {{g: {{targets: [{targets}], weights: {{num_bits: 4, group_size: 32{more}}}}}}}, ignore: [{ignore}]");

    /// <summary>config.json's quantization_config.</summary>
    public static JsonObject Config(string folder) =>
        JsonNode.Parse(File.ReadAllText(System.IO.Path.Combine(folder, ModelConfig.FileName)))!["quantization_config"]!.AsObject();

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
