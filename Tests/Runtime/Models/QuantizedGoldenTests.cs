using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Numerics;
using Quilt.Formats.Tensors;
using Quilt.Kernels.Ops;
using Quilt.Runtime;
using Quilt.Runtime.Models;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Runtime.Models;

/// <summary>
/// Checkpoints as a quantization tool saved them, in the names and with the configs of its versions: every weight to the bit, logits, and what the
/// tool's own arithmetic makes of the weights it packed.
/// </summary>
[Category("Conformance")]
public sealed class QuantizedGoldenTests
{
    public static IEnumerable<TestCaseData> Folders() => All(_ => true);

    public static IEnumerable<TestCaseData> WithLogits() => All(folder => File.Exists(Path.Combine(folder, "logits.safetensors")));

    public static IEnumerable<TestCaseData> WithHashes() => All(folder => File.Exists(Path.Combine(folder, "expected.json")));

    public static IEnumerable<TestCaseData> WithSmoothed() => All(folder => File.Exists(Smoothed(folder)));

    [TestCaseSource(nameof(Folders))]
    public void Loads_with_nothing_that_its_config_contradicts(string? folder)
    {
        using var model = LoadedModel.Open(Shared.Require(folder), new EngineOptions { Threads = 2 }, null, default);
        Assert.That(model.Warnings, Has.None.Contains("taken as stored"));
        Assert.That(PromptRun.Trace(model, [1, 2, 3]).Logits, Has.All.Not.NaN);
    }

    // The reference computes with weights that were rounded to bfloat16 once they were dequantized: so does a copy that is stored that way.
    [TestCaseSource(nameof(WithLogits))]
    public void Gives_the_reference_s_logits(string? folder)
    {
        using var copy = new DequantizedFolder(Shared.Require(folder));
        using var model = LoadedModel.Open(copy.Path, new EngineOptions { Threads = 2 }, null, default);
        using var expected = SafeTensorsFile.Open(Path.Combine(folder!, "logits.safetensors"));
        var shape = expected.Tensors["input_ids"].Shape;
        var ids = expected.ReadIntegers("input_ids").Select(id => (int)id).Chunk((int)shape[^1]).ToArray();
        var wanted = expected.ReadFloats("logits");
        var each = wanted.Length / ids.Length;
        for (var p = 0; p < ids.Length; p++)
        {
            var logits = PromptRun.Trace(model, ids[p]).Logits;
            Assert.That(logits, Has.Length.EqualTo(each));
            Assert.That(logits.Zip(wanted.Skip(p * each), (a, b) => Math.Abs(a - b)).Max(), Is.LessThanOrEqualTo(1e-4f), $"prompt {p}");
        }
    }

    [TestCaseSource(nameof(WithHashes))]
    public void Every_weight_is_the_tool_s_own_to_the_bit(string? folder)
    {
        using var checkpoint = Checkpoint.Open(Shared.Require(folder));
        using var expected = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder!, "expected.json")));
        var count = 0;
        foreach (var weight in expected.RootElement.GetProperty("dequantized").EnumerateObject())
        {
            var shape = weight.Value.GetProperty("shape").EnumerateArray().Select(size => size.GetInt32()).ToArray();
            var values = shape is [var rows, var columns]
                ? checkpoint.Module(weight.Name[..^".weight".Length], rows, columns).Dequantize()
                : checkpoint.Vector(weight.Name, shape[0]);
            var bytes = MemoryMarshal.AsBytes<BFloat16>(Array.ConvertAll(values, value => (BFloat16)value));
            Assert.That(Convert.ToHexStringLower(SHA256.HashData(bytes)), Is.EqualTo(weight.Value.GetProperty("sha256").GetString()),
                weight.Name);
            count++;
        }
        Assert.That(count, Is.GreaterThan(0));
    }

    [TestCaseSource(nameof(WithSmoothed))]
    public void Its_codes_and_scales_are_those_of_the_weights_it_packed(string? folder)
    {
        using var checkpoint = Checkpoint.Open(Shared.Require(folder));
        using var smoothed = SafeTensorsFile.Open(Smoothed(folder!));
        var count = 0;
        foreach (var tensor in smoothed.Tensors.Values.Where(tensor => tensor.Shape.Length == 2 && tensor.Name.Contains(".experts.")))
        {
            var (rows, columns) = ((int)tensor.Shape[0], (int)tensor.Shape[1]);
            var weight = Array.ConvertAll(smoothed.ReadFloats(tensor.Name), value => (BFloat16)value);
            var result = GroupQuantizer.Quantize(weight, rows, columns, group: 32, bits: 4, symmetric: true);
            var wanted = result.Codes.Select((code, i) => code * (float)result.Scales[i / 32]).ToArray();
            Assert.That(checkpoint.Module(tensor.Name[..^".weight".Length], rows, columns).Dequantize(), Is.EqualTo(wanted), tensor.Name);
            count++;
        }
        Assert.That(count, Is.GreaterThan(0));
    }

    private static string Smoothed(string folder) => Path.Combine(Path.GetDirectoryName(folder)!, "smoothed.safetensors");

    private static IEnumerable<TestCaseData> All(Func<string, bool> which)
    {
        var root = Path.Combine(Shared.Root, "golden", "awq");
        var folders = Directory.Exists(root)
            ? Directory.GetFiles(root, ModelConfig.FileName, SearchOption.AllDirectories).Select(file => Path.GetDirectoryName(file)!).Where(which)
                .Order(StringComparer.Ordinal).Cast<string?>().ToArray()
            : [];
        return (folders.Length > 0 ? folders : [null])
            .Select(folder => new TestCaseData(folder).SetArgDisplayNames(folder is null ? "none" : Path.GetRelativePath(root, folder)));
    }
}
