using System.Runtime.InteropServices;
using System.Text.Json;
using Quilt.Formats.Tensors;
using Quilt.Quantizer.Quality;
using Quilt.Runtime;

namespace Quilt.Tests.Quantizer.Quality;

/// <summary>
/// Another implementation's figures, in float64, of a published model and of the same with its routers mended, against the official one
/// (golden/router-repair).
/// </summary>
[Category("Conformance")]
public sealed class RouterRepairGoldenTests
{
    private static readonly EngineOptions Options = new() { Threads = 2 };

    public static IEnumerable<TestCaseData> Cases() => Shared.Folders("golden").Where(folder => folder is null || IsCase(folder))
        .DefaultIfEmpty(null).Select(folder => new TestCaseData(folder).SetArgDisplayNames(Path.GetFileName(folder) ?? "none"));

    [TestCaseSource(nameof(Cases))]
    public void The_published_model_is_as_far_off_as_it_was_found_to_be(string? folder) =>
        Check(Shared.Require(folder), Path.Combine(folder!, "published"), "published");

    [TestCaseSource(nameof(Cases))]
    public void The_repaired_model_is_as_far_off_as_it_was_found_to_be(string? folder)
    {
        var repaired = Path.Combine(Path.GetTempPath(), $"quilt-repaired-{Guid.NewGuid():N}");
        try
        {
            Repair(Shared.Require(folder), repaired);
            Check(folder!, repaired, "repaired");
        }
        finally
        {
            if (Directory.Exists(repaired)) Directory.Delete(repaired, recursive: true);
        }
    }

    private static bool IsCase(string folder) => File.Exists(Path.Combine(folder, "expected.json"))
        && Directory.Exists(Path.Combine(folder, "official")) && Directory.Exists(Path.Combine(folder, "published"));

    private static void Check(string folder, string model, string tag)
    {
        using var golden = SafeTensorsFile.Open(Path.Combine(folder, "expected.safetensors"));
        int[][] samples = [.. golden.Tensors.Keys.Where(name => name.EndsWith(".input_ids", StringComparison.Ordinal)).Order(StringComparer.Ordinal)
            .Select(name => Array.ConvertAll(golden.ReadIntegers(name), id => (int)id))];
        using var expected = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "expected.json")));
        var result = QualityComparison.Run(model, Path.Combine(folder, "official"), QualityInput.FromTokens(samples), Options);

        var layers = expected.RootElement.GetProperty("layers");
        Assert.That(result.Layers, Has.Count.EqualTo(layers.GetArrayLength()).And.Not.Empty);
        foreach (var (layer, found) in layers.EnumerateArray().Zip(result.Layers))
        {
            Same(found.Router!.SameInput, layer.GetProperty("same_input").GetProperty(tag), $"layer {found.Layer}, same input");
            Same(found.Router.WholeModel, layer.GetProperty("whole_model").GetProperty(tag), $"layer {found.Layer}, whole model");
        }
        var logits = expected.RootElement.GetProperty("logits_vs_official").GetProperty(tag);
        Assert.That(result.Kl.Mean, Is.EqualTo(logits.GetProperty("mean_kl").GetDouble()).Within(1e-5));
        Assert.That(result.Top1Agreement, Is.EqualTo(logits.GetProperty("same_argmax").GetDouble()).Within(1e-12));
    }

    // The shares were averaged in float32.
    private static void Same(Agreement found, JsonElement expected, string where)
    {
        Assert.That(found.Overlap, Is.EqualTo(expected.GetProperty("overlap").GetDouble()).Within(1e-6), where);
        Assert.That(found.SameSet, Is.EqualTo(expected.GetProperty("same_set").GetDouble()).Within(1e-6), where);
    }

    // The published folder with the recorded gates in place of its own.
    private static void Repair(string folder, string into)
    {
        Directory.CreateDirectory(into);
        using var golden = SafeTensorsFile.Open(Path.Combine(folder, "expected.safetensors"));
        foreach (var path in Directory.GetFiles(Path.Combine(folder, "published")))
        {
            var copy = Path.Combine(into, Path.GetFileName(path));
            if (!path.EndsWith(".safetensors", StringComparison.Ordinal))
            {
                File.Copy(path, copy);
                continue;
            }
            using var shard = SafeTensorsFile.Open(path);
            SafeTensorsWriter.Write(copy, [.. shard.Tensors.Values.Select(tensor => Repaired(golden, shard, tensor))], shard.Metadata);
        }
    }

    private static TensorToWrite Repaired(SafeTensorsFile golden, SafeTensorsFile shard, TensorEntry tensor)
    {
        if (tensor.Name.EndsWith(".gate.weight", StringComparison.Ordinal))
        {
            var gate = golden.ReadFloats($"layer.{tensor.Name.Split('.')[2]}.repaired_gate");
            return new(tensor.Name, DType.F32, [.. tensor.Shape], MemoryMarshal.AsBytes<float>(gate).ToArray());
        }
        var bytes = new byte[tensor.Length];
        shard.Read(tensor, bytes);
        return new(tensor.Name, tensor.Type, [.. tensor.Shape], bytes);
    }
}
