using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Checkpoints.Storage;
using Quilt.Formats.Numerics;
using Quilt.Formats.Tensors;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights;

namespace Quilt.Tests.TinyModels;

/// <summary>A temporary folder with tensors that are added one by one, of one module where no name is given, deleted at the end.</summary>
internal sealed class ModuleFolder : IDisposable
{
    public const string Name = "model.layers.0.self_attn.q_proj";

    private readonly List<TensorToWrite> tensors = [];

    public ModuleFolder(JsonObject config)
    {
        Directory.CreateDirectory(Path);
        File.WriteAllText(System.IO.Path.Combine(Path, "config.json"), config.ToJsonString());
    }

    public ModuleFolder(string modelType = "llama", JsonObject? quantization = null) : this(quantization is null
        ? new JsonObject { ["model_type"] = modelType }
        : new JsonObject { ["model_type"] = modelType, ["quantization_config"] = quantization })
    {
    }

    public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"quilt-module-{Guid.NewGuid():N}");

    /// <summary>quantization_config with one group.</summary>
    public static JsonObject Compressed(string format, JsonObject weights, string target = "Linear") => new()
    {
        ["quant_method"] = "compressed-tensors",
        ["format"] = format,
        ["config_groups"] = new JsonObject { ["group_0"] = new JsonObject { ["targets"] = new JsonArray(target), ["weights"] = weights } },
    };

    /// <summary>Arguments of integer codes.</summary>
    public static JsonObject Ints(int bits, int? group = 32, bool symmetric = true) => new()
    {
        ["num_bits"] = bits, ["type"] = "int", ["symmetric"] = symmetric, ["strategy"] = group is null ? "channel" : "group", ["group_size"] = group,
    };

    public ModuleFolder Add(string suffix, DType type, long[] shape, byte[]? bytes = null, string name = Name)
    {
        tensors.Add(new($"{name}.{suffix}", type, shape, bytes ?? new byte[shape.Aggregate(1L, (a, b) => a * b) * type.BitSize() / 8]));
        return this;
    }

    /// <summary>A tensor of scales with one value in the middle.</summary>
    public ModuleFolder AddScales(string suffix, DType type, long[] shape, float middle = 0.5f, string name = Name)
    {
        var values = new float[shape.Aggregate(1L, (a, b) => a * b)];
        Array.Fill(values, 0.5f);
        values[values.Length / 2] = middle;
        return Add(suffix, type, shape, type switch
        {
            DType.F32 => MemoryMarshal.AsBytes<float>(values).ToArray(),
            DType.BF16 => MemoryMarshal.AsBytes<BFloat16>(Array.ConvertAll(values, value => (BFloat16)value)).ToArray(),
            _ => MemoryMarshal.AsBytes<Half>(Array.ConvertAll(values, value => (Half)value)).ToArray(),
        }, name);
    }

    /// <summary>The module, looked at by a name it may go by.</summary>
    public (StoredModule Module, IReadOnlyList<string> Warnings) Open(int rows, int columns, string name = Name)
    {
        Write();
        using var checkpoint = Checkpoint.Open(Path);
        var module = checkpoint.Module(name, rows, columns);
        return (module, checkpoint.Warnings);
    }

    /// <summary>Loads the module onto the processor; how it is held, and its warnings.</summary>
    public (string Format, IReadOnlyList<string> Warnings) Load(int rows, int columns, string name = Name)
    {
        Write();
        using var checkpoint = Checkpoint.Open(Path);
        using var device = new CpuDevice(threads: 2);
        using var weight = WeightLoader.Load(device, checkpoint, [checkpoint.Module(name, rows, columns)], name);
        return (weight.Format, checkpoint.Warnings);
    }

    /// <summary>All values of the module once it is loaded.</summary>
    public float[] LoadRows(int rows, int columns)
    {
        Write();
        using var checkpoint = Checkpoint.Open(Path);
        using var device = new CpuDevice(threads: 2);
        using var weight = WeightLoader.Load(device, checkpoint, [checkpoint.Module(Name, rows, columns)], Name);
        var values = new float[rows * columns];
        for (var row = 0; row < rows; row++) weight.Dequantize(0, row, values.AsSpan(row * columns, columns));
        Assert.That(values, Is.EqualTo(checkpoint.Module(Name, rows, columns).Dequantize()));
        return values;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);

    /// <summary>Writes what was added into one file.</summary>
    public void Write() => SafeTensorsWriter.Write(System.IO.Path.Combine(Path, "model.safetensors"), tensors,
        new Dictionary<string, string> { ["format"] = "pt" });
}
