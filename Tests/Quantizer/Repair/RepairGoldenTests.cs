using System.Text.Json.Nodes;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Tensors;
using Quilt.Quantizer.Quality;
using Quilt.Quantizer.Repair;
using Quilt.Quantizer.Verifying.Forward;
using Quilt.Runtime;

namespace Quilt.Tests.Quantizer.Repair;

/// <summary>Repaired checkpoints against another implementation's: s and the routers to the bit, then what the model computes and chooses.</summary>
[Category("Conformance")]
public sealed class RepairGoldenTests
{
    private const float Tolerance = 1e-4f;

    // Shares of some hundred choices, of which none is closer than the tolerance of the numbers.
    private const double ShareTolerance = 1e-6;

    public static IEnumerable<TestCaseData> Cases() => GoldenCase.Of("golden/router-repair");

    [TestCaseSource(nameof(Cases))]
    public void S_and_the_repaired_routers_are_the_reference_s_to_the_bit(string? folder)
    {
        using var work = new TemporaryFolder();
        var result = Repair(folder, work, "out");
        using var expected = SafeTensorsFile.Open(Path.Combine(folder!, "expected.safetensors"));
        using var repaired = Checkpoint.Open(work.Below("out"));
        var layers = JsonNode.Parse(File.ReadAllText(Path.Combine(folder!, "expected.json")))!["layers"]!.AsArray();
        Assert.That(result.Layers, Has.Count.EqualTo(layers.Count));
        foreach (var (layer, router) in result.Layers)
        {
            Assert.That(Bits(router.Ratio.S), Is.EqualTo(Bits(expected.ReadFloats($"layer.{layer}.s"))), $"layer {layer} s");
            var module = repaired.Module(router.Router.Name, router.Router.Rows, router.Router.Columns);
            Assert.That(module.Scheme, Is.EqualTo("f32"));
            Assert.That(Bits(module.Dequantize()), Is.EqualTo(Bits(expected.ReadFloats($"layer.{layer}.repaired_gate"))), $"layer {layer} gate");
            Assert.That(router.Ratio.MaxAbsLog2, Is.EqualTo((double)layers[layer]!["max_abs_log2_s"]!).Within(1e-5));
            Assert.That(router.Ratio.MedianAbsLog2, Is.EqualTo((double)layers[layer]!["median_abs_log2_s"]!).Within(1e-5));
            Assert.That(router.Ratio.GeometricMid, Is.EqualTo((double)layers[layer]!["geometric_mid_s"]!).Within(1e-5));
        }
        Assert.That(result.Repaired, Is.EqualTo(layers.Count));
    }

    [TestCaseSource(nameof(Cases))]
    public void Nothing_but_routers_changes(string? folder)
    {
        using var work = new TemporaryFolder();
        var result = Repair(folder, work, "out");
        var routers = result.Layers.Select(layer => $"{layer.Router.Router.Name}.weight").ToHashSet();
        using var published = Checkpoint.Open(Path.Combine(folder!, "published"));
        using var repaired = Checkpoint.Open(work.Below("out"));
        Assert.That(repaired.Tensors.Select(tensor => tensor.Name), Is.EquivalentTo(published.Tensors.Select(tensor => tensor.Name)));
        foreach (var tensor in published.Tensors.Where(tensor => !routers.Contains(tensor.Name)))
        {
            var now = repaired.Find(tensor.Name)!;
            byte[] before = new byte[tensor.Length], after = new byte[now.Length];
            published.Read(tensor, before);
            repaired.Read(now, after);
            Assert.That(after.AsSpan().SequenceEqual(before), Is.True, tensor.Name);
            Assert.That(Path.GetFileName(now.File), Is.EqualTo(Path.GetFileName(tensor.File)));
        }
        Assert.That(repaired.Warnings, Is.EqualTo(published.Warnings));
    }

    [TestCaseSource(nameof(Cases))]
    public void The_models_compute_what_the_reference_does(string? folder)
    {
        using var work = new TemporaryFolder();
        Repair(folder, work, "repaired");
        using var expected = SafeTensorsFile.Open(Path.Combine(folder!, "expected.safetensors"));
        foreach (var name in expected.Tensors.Keys.Where(name => name.EndsWith(".logits", StringComparison.Ordinal)))
        {
            var tag = name.Split('.')[^2];
            var prompt = name[..^$"{tag}.logits".Length];
            var trace = GoldenCase.Trace(tag == "repaired" ? work.Below(tag) : Path.Combine(folder!, tag),
                Array.ConvertAll(expected.ReadIntegers($"{prompt}input_ids"), id => (int)id));
            Assert.That(trace.Logits, Is.EqualTo(expected.ReadFloats(name)).Within(Tolerance), name);
            for (var layer = 0; layer < trace.RouterIds.Count; layer++)
                Assert.That(Array.ConvertAll(trace.RouterIds[layer], id => (long)id),
                    Is.EqualTo(expected.ReadIntegers($"{prompt}{tag}.layer.{layer}.router_ids")), $"{name} layer {layer}");
        }
    }

    [TestCaseSource(nameof(Cases))]
    public void Routers_agree_with_the_official_ones_as_far_as_the_reference_s(string? folder)
    {
        using var work = new TemporaryFolder();
        Repair(folder, work, "out");
        using var file = SafeTensorsFile.Open(Path.Combine(folder!, "expected.safetensors"));
        var prompts = file.Tensors.Keys.Where(name => name.EndsWith(".input_ids", StringComparison.Ordinal))
            .Select(name => Array.ConvertAll(file.ReadIntegers(name), id => (int)id)).ToArray();
        using var official = Checkpoint.Open(Path.Combine(folder!, "official"));
        using var published = Checkpoint.Open(Path.Combine(folder!, "published"));
        using var repaired = Checkpoint.Open(work.Below("out"));
        using var device = new EngineOptions { Threads = 2 }.OpenDevice();
        var found = ModelComparison.Run(official, [published, repaired], prompts, device, default);

        var expected = JsonNode.Parse(File.ReadAllText(Path.Combine(folder!, "expected.json")))!;
        foreach (var (tag, comparison) in new[] { "published", "repaired" }.Zip(found))
        {
            for (var layer = 0; layer < comparison.Layers.Count; layer++)
            {
                var wanted = expected["layers"]![layer]!;
                Near(comparison.Layers[layer].SameInput!, wanted["same_input"]![tag]!, $"{tag} layer {layer} same input");
                Near(comparison.Layers[layer].WholeModel!, wanted["whole_model"]![tag]!, $"{tag} layer {layer} whole model");
            }
            var logits = expected["logits_vs_official"]![tag]!;
            Assert.That(comparison.MeanDivergence, Is.EqualTo((double)logits["mean_kl"]!).Within(1e-4), tag);
            Assert.That(comparison.SameChoice, Is.EqualTo((double)logits["same_argmax"]!).Within(ShareTolerance), tag);
            TestContext.Out.WriteLine(
                $"{tag}: cosines {string.Join(", ", comparison.Layers.Select(layer => $"{layer.Output:0.0000} {layer.Update:0.0000}"))}");
        }
    }

    private static void Near(Agreement found, JsonNode wanted, string what)
    {
        Assert.That(found.Overlap, Is.EqualTo((double)wanted["overlap"]!).Within(ShareTolerance), what);
        Assert.That(found.SameSet, Is.EqualTo((double)wanted["same_set"]!).Within(ShareTolerance), what);
    }

    private static RepairResult Repair(string? folder, TemporaryFolder work, string name) => RouterRepairer.Run(
        Path.Combine(Shared.Require(folder), "official"), Path.Combine(folder!, "published"), work.Below(name), copy: false);

    private static uint[] Bits(float[] values) => Array.ConvertAll(values, BitConverter.SingleToUInt32Bits);
}
