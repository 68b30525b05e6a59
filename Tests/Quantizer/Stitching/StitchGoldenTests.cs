using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Tensors;
using Quilt.Quantizer.Stitching;

namespace Quilt.Tests.Quantizer.Stitching;

/// <summary>Stitched checkpoints against the published script's: every tensor's bytes and place, the config, and what the model computes.</summary>
[Category("Conformance")]
public sealed class StitchGoldenTests
{
    private const float Tolerance = 1e-4f;

    public static IEnumerable<TestCaseData> Cases() => GoldenCase.Of("golden/stitch");

    [TestCaseSource(nameof(Cases))]
    public void Every_tensor_is_the_published_rule_s(string? folder) => Check(Shared.Require(folder), repair: false);

    [TestCaseSource(nameof(Cases))]
    public void With_the_repair_only_routers_differ(string? folder) => Check(Shared.Require(folder), repair: true);

    [TestCaseSource(nameof(Cases))]
    public void The_model_computes_what_the_reference_does(string? folder)
    {
        using var work = new TemporaryFolder();
        using var expected = SafeTensorsFile.Open(Path.Combine(Shared.Require(folder), "expected.safetensors"));
        foreach (var (tag, repair) in new[] { ("stitched", false), ("compensated", true) })
        {
            Stitcher.Run(Path.Combine(folder!, "official"), Path.Combine(folder!, "awq"), work.Below(tag), repair);
            var prompts = expected.Tensors.Keys.Where(name => name.EndsWith(".input_ids", StringComparison.Ordinal)).ToArray();
            Assert.That(prompts, Is.Not.Empty);
            foreach (var prompt in prompts)
            {
                var ids = Array.ConvertAll(expected.ReadIntegers(prompt), id => (int)id);
                var wanted = expected.ReadFloats(prompt.Replace("input_ids", $"{tag}.logits", StringComparison.Ordinal));
                Assert.That(GoldenCase.Trace(work.Below(tag), ids).Logits, Is.EqualTo(wanted).Within(Tolerance), $"{prompt} {tag}");
            }
        }
    }

    private static void Check(string folder, bool repair)
    {
        using var work = new TemporaryFolder();
        var expected = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "expected.json")))!;
        var result = Stitcher.Run(Path.Combine(folder, "official"), Path.Combine(folder, "awq"), work.Below("out"), repair);

        var gates = expected["compensated_gates"]!.AsArray().ToDictionary(gate => (string)gate!["name"]!, gate => gate!);
        var wanted = expected["tensors"]!.AsArray().Select(tensor => Line(tensor!, repair && gates.TryGetValue((string)tensor!["name"]!, out var gate)
            ? gate
            : tensor!)).Order(StringComparer.Ordinal);
        Assert.That(Lines(work.Below("out")).Order(StringComparer.Ordinal), Is.EqualTo(wanted));
        Assert.That(result.Tensors, Is.EqualTo(expected["tensors"]!.AsArray().Count));

        var index = ShardIndex.Read(Path.Combine(work.Below("out"), ShardIndex.FileName));
        Assert.That(index.TotalSize, Is.EqualTo((long)expected["total_size"]!));
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(work.Below("out"), ModelConfig.FileName)))!.AsObject();
        Assert.That(JsonNode.DeepEquals(config["quantization_config"], expected["quantization_config"]), Is.True,
            config["quantization_config"]!.ToJsonString());

        var official = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "official", ModelConfig.FileName)))!.AsObject();
        config.Remove("quantization_config");
        official.Remove("quantization_config");
        Assert.That(config.ToJsonString(), Is.EqualTo(official.ToJsonString()));
        foreach (var other in OtherFiles.Of(Path.Combine(folder, "official")).Where(name => name != ModelConfig.FileName))
            Assert.That(File.ReadAllBytes(Path.Combine(work.Below("out"), other)),
                Is.EqualTo(File.ReadAllBytes(Path.Combine(folder, "official", other))));
        using var checkpoint = Checkpoint.Open(work.Below("out"));
        Assert.That(checkpoint.Warnings, Is.Empty);
    }

    private static string Line(JsonNode tensor, JsonNode content) =>
        $"{tensor["name"]} {content["dtype"]} [{string.Join(", ", content["shape"]!.AsArray())}] {tensor["shard"]} {content["sha256"]}";

    private static IEnumerable<string> Lines(string folder)
    {
        using var checkpoint = Checkpoint.Open(folder);
        foreach (var tensor in checkpoint.Tensors)
        {
            var bytes = new byte[tensor.Length];
            checkpoint.Read(tensor, bytes);
            yield return $"{tensor.Name} {tensor.Type.FileName()} [{string.Join(", ", tensor.Shape)}] {Path.GetFileName(tensor.File)} " +
                Convert.ToHexStringLower(SHA256.HashData(bytes));
        }
    }
}
