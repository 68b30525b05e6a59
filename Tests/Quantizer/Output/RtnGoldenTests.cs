using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Numerics;
using Quilt.Formats.Tensors;
using Quilt.Quantizer;
using Quilt.Quantizer.Recipes;
using Quilt.Runtime;
using Quilt.Runtime.Models;
using Quilt.Tests.Runtime.Models;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Quantizer.Output;

/// <summary>
/// Data-free quantization against what the tool whose recipes these are made of the same models: every byte of every tensor, the weights they stand
/// for, logits, and what the configs say of each module.
/// </summary>
[Category("Conformance")]
public sealed class RtnGoldenTests
{
    public static IEnumerable<TestCaseData> Folders()
    {
        var root = Path.Combine(Shared.Root, "golden", "awq");
        string?[] folders = Directory.Exists(root)
            ? [.. Directory.GetFiles(root, "expected.json", SearchOption.AllDirectories).Select(file => Path.GetDirectoryName(file)!)
                .Where(folder => File.Exists(Path.Combine(folder, "recipe.yaml"))).Order(StringComparer.Ordinal)]
            : [];
        return (folders.Length > 0 ? folders : [null])
            .Select(folder => new TestCaseData(folder).SetArgDisplayNames(folder is null ? "none" : Path.GetRelativePath(root, folder)));
    }

    [TestCaseSource(nameof(Folders))]
    public void Every_tensor_is_the_tool_s_own_to_the_byte(string? folder)
    {
        using var result = new Result(Shared.Require(folder));
        var expected = Bytes(folder!);
        var found = Bytes(result.Path);
        Assert.That(found.Keys, Is.EquivalentTo(expected.Keys));
        foreach (var (name, (type, shape, bytes)) in expected)
        {
            Assert.That(found[name].Type, Is.EqualTo(type), name);
            Assert.That(found[name].Shape, Is.EqualTo(shape), name);
            Assert.That(found[name].Bytes, Is.EqualTo(bytes), name);
        }
    }

    [TestCaseSource(nameof(Folders))]
    public void Every_weight_stands_for_the_tool_s_own_values(string? folder)
    {
        using var result = new Result(Shared.Require(folder));
        using var checkpoint = Checkpoint.Open(result.Path);
        using var expected = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder!, "expected.json")));
        foreach (var weight in expected.RootElement.GetProperty("dequantized").EnumerateObject())
        {
            var shape = weight.Value.GetProperty("shape").EnumerateArray().Select(size => size.GetInt32()).ToArray();
            var values = shape is [var rows, var columns]
                ? checkpoint.Module(weight.Name[..^".weight".Length], rows, columns).Dequantize()
                : checkpoint.Vector(weight.Name, shape[0]);
            var bytes = MemoryMarshal.AsBytes<BFloat16>(Array.ConvertAll(values, value => (BFloat16)value));
            Assert.That(Convert.ToHexStringLower(SHA256.HashData(bytes)), Is.EqualTo(weight.Value.GetProperty("sha256").GetString()), weight.Name);
        }
        Assert.That(checkpoint.Warnings, Is.Empty);
    }

    [TestCaseSource(nameof(Folders))]
    public void Gives_the_reference_s_logits(string? folder)
    {
        using var result = new Result(Shared.Require(folder));
        using var copy = new DequantizedFolder(result.Path);
        using var model = LoadedModel.Open(copy.Path, new EngineOptions { Threads = 2 }, null, default);
        using var expected = SafeTensorsFile.Open(Path.Combine(folder!, "logits.safetensors"));
        var ids = expected.ReadIntegers("input_ids").Select(id => (int)id).Chunk((int)expected.Tensors["input_ids"].Shape[^1]).ToArray();
        var wanted = expected.ReadFloats("logits");
        var each = wanted.Length / ids.Length;
        for (var p = 0; p < ids.Length; p++)
        {
            var logits = PromptRun.Trace(model, ids[p]).Logits;
            Assert.That(logits.Zip(wanted.Skip(p * each), (a, b) => Math.Abs(a - b)).Max(), Is.LessThanOrEqualTo(1e-4f), $"prompt {p}");
        }
    }

    [TestCaseSource(nameof(Folders))]
    public void The_config_says_the_same_of_every_module(string? folder)
    {
        using var result = new Result(Shared.Require(folder));
        using var checkpoint = Checkpoint.Open(result.Path);
        var (found, expected) = (Read(result.Path), Read(folder!));
        foreach (var module in DequantizedFolder.Modules(checkpoint))
        {
            var spellings = TensorNames.Spellings(module.Name).ToArray();
            Assert.That(found.Find(spellings) is { } own ? own with { Group = "" } : null,
                Is.EqualTo(expected.Find(spellings) is { } its ? its with { Group = "" } : null), module.Name);
        }
        var (keys, wanted) = (Config(result.Path), Config(folder!));
        Assert.That(keys.EnumerateObject().Select(key => key.Name), Is.EquivalentTo(wanted.EnumerateObject().Select(key => key.Name)));
        Assert.That(keys.GetProperty("format").GetString(), Is.EqualTo(wanted.GetProperty("format").GetString()));

        static QuantConfig Read(string path) => QuantConfigReader.Read(ModelConfig.Read(Path.Combine(path, ModelConfig.FileName)), new WarningList());
        static JsonElement Config(string path) =>
            ModelConfig.Read(Path.Combine(path, ModelConfig.FileName)).Json.GetProperty("quantization_config");
    }

    private static Dictionary<string, (DType Type, long[] Shape, byte[] Bytes)> Bytes(string folder)
    {
        using var checkpoint = Checkpoint.Open(folder);
        return checkpoint.Tensors.ToDictionary(tensor => TensorNames.Meaning(tensor.Name), tensor =>
        {
            var bytes = new byte[tensor.Length];
            checkpoint.Read(tensor, bytes);
            return (tensor.Type, tensor.Shape, bytes);
        });
    }

    /// <summary>What our quantizer makes of the model that a folder was made of, by its recipe; deleted at the end.</summary>
    private sealed class Result : IDisposable
    {
        public Result(string folder)
        {
            using var source = Checkpoint.Open(Base(folder));
            Quantizing.Run(source, Path, RecipeReader.Read(System.IO.Path.Combine(folder, "recipe.yaml")), threads: 2);
        }

        public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"quilt-rtn-{Guid.NewGuid():N}");

        public void Dispose() => Directory.Delete(Path, recursive: true);

        // The model that has the same tensors, and the same values in those that were left alone.
        private static string Base(string folder)
        {
            using var expected = JsonDocument.Parse(File.ReadAllText(System.IO.Path.Combine(folder, "expected.json")));
            var weights = expected.RootElement.GetProperty("dequantized").EnumerateObject()
                .ToDictionary(weight => TensorNames.Meaning(weight.Name),
                    weight => string.Join(',', weight.Value.GetProperty("shape").EnumerateArray()));
            var own = Bytes(folder);
            var root = System.IO.Path.Combine(Shared.Root, "golden", "awq");
            string[] models = [.. Directory.GetFiles(root, ModelConfig.FileName, SearchOption.AllDirectories)
                .Where(file => !ModelConfig.Read(file).Has("quantization_config")).Select(file => System.IO.Path.GetDirectoryName(file)!)];
            return Array.Find(models, model =>
            {
                var tensors = Bytes(model);
                return tensors.Count == weights.Count
                    && tensors.All(tensor => weights.TryGetValue(tensor.Key, out var shape) && shape == string.Join(',', tensor.Value.Shape)
                        && (!own.TryGetValue(tensor.Key, out var kept) || kept.Type != tensor.Value.Type
                            || kept.Bytes.AsSpan().SequenceEqual(tensor.Value.Bytes)));
            }) ?? throw new InvalidOperationException($"No model of {root} has the tensors of {folder}.");
        }
    }
}
