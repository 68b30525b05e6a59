using System.Text.Json;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Tensors;
using Quilt.Quantizer.Awq;
using Quilt.Quantizer.Awq.Match;
using Quilt.Quantizer.Recipes;
using Quilt.Runtime.Models;

namespace Quilt.Tests.Quantizer.Awq;

/// <summary>Whole checkpoints against those that releases of llm-compressor wrote.</summary>
[Category("Conformance")]
public sealed class MatchedRunTests
{
    [TestCaseSource(typeof(AwqGolden), nameof(AwqGolden.All))]
    public void Writes_what_the_release_wrote(string? folder)
    {
        using var golden = new AwqGolden(Shared.Require(folder));
        if (Expected(golden) is not { } path) Assert.Ignore("The run keeps statistics only.");
        using var work = new TemporaryFolder();
        var outcome = Run(golden, Inputs(golden, work), work);
        Assert.That(outcome.Mappings.Select(mapping => mapping.Smooth), Is.EqualTo(golden.Mappings.Select(mapping => mapping.Smooth)));

        using var written = Checkpoint.Open(Path.Combine(work.Path, "out"));
        using var expected = SafeTensorsFile.Open(Expected(golden)!);
        var known = Enumerable.Range(0, written.Config.Layers).Where(layer => golden.MoeInput(layer) is not null).ToArray();
        var compared = 0;
        foreach (var tensor in expected.Tensors.Values)
        {
            var found = written.Find(tensor.Name);
            Assert.That(found, Is.Not.Null, tensor.Name);
            var layer = tensor.Name.Split('.') is [_, "layers", var index, ..] ? int.Parse(index) : -1;
            // Only where its input is known is a layer the same in every bit.
            if (layer >= 0 && !known.Contains(layer)) continue;
            Assert.That((found!.Type, found.ShapeText), Is.EqualTo((tensor.Type, tensor.ShapeText)), tensor.Name);
            Assert.That(Bytes(written, found), Is.EqualTo(Bytes(expected, tensor)), tensor.Name);
            compared++;
        }
        Assert.That(compared, Is.GreaterThan(expected.Tensors.Count / 3));
    }

    [TestCaseSource(typeof(AwqGolden), nameof(AwqGolden.All))]
    public void Smooths_as_the_release_smoothed(string? folder)
    {
        using var golden = new AwqGolden(Shared.Require(folder));
        var path = Path.Combine(golden.Folder, "smoothed.safetensors");
        if (!File.Exists(path)) Assert.Ignore("The run keeps no weights between smoothing and packing.");
        using var work = new TemporaryFolder();
        var scales = Run(golden, Inputs(golden, work), work).Mappings.ToDictionary(mapping => mapping.Smooth, mapping => mapping.Scales);
        using var source = Checkpoint.Open(golden.Model);
        using var expected = SafeTensorsFile.Open(path);
        var modules = new DecoderModules(Architectures.Describe(source.Config));
        foreach (var layer in modules.Layers)
        {
            var norm = scales[layer.FeedForwardNorm.Name[..^".weight".Length]];
            for (var e = 0; e < layer.Experts!.Spec.Experts; e++)
            {
                ModuleShape[] shapes = [layer.Experts.Gate(e), layer.Experts.Up(e), layer.Experts.Down(e)];
                var plain = Array.ConvertAll(shapes, shape => source.Module(shape.Name, shape.Rows, shape.Columns).Dequantize());
                var found = SmoothedWeights.Of(new(plain[0], plain[1], plain[2]), norm, scales.GetValueOrDefault(shapes[1].Name), Precision.BFloat16);
                foreach (var (shape, values) in shapes.Zip(new[] { found.Gate, found.Up, found.Down }))
                    Assert.That(values, Is.EqualTo(AwqGolden.Read(expected, expected.Tensors[$"{shape.Name}.weight"])), shape.Name);
            }
        }
    }

    // With nothing given, all layers are run in the model's type. The first layer's inputs are then the same but for a rounding here and there; what
    // comes of such a rounding grows, as a group's largest weight lies just between two codes.
    [TestCaseSource(typeof(AwqGolden), nameof(AwqGolden.All))]
    public void Finds_nearly_the_same_by_its_own_forward_pass(string? folder)
    {
        using var golden = new AwqGolden(Shared.Require(folder));
        using var work = new TemporaryFolder();
        var found = Run(golden, null, work).Mappings;
        var points = found[0].Losses.Length;
        var losses = golden.Values("losses")!;
        Assert.That(found.Select(mapping => mapping.Smooth), Is.EqualTo(golden.Mappings.Select(mapping => mapping.Smooth)));

        var first = golden.Values("00.x_mean")!;
        for (var c = 0; c < first.Length; c++)
            Assert.That(found[0].InputMeans[c], Is.EqualTo(first[c]).Within(golden.IsFloat32 ? 1e-6 * first[c] : 2e-4 * first[c]), $"x_mean[{c}]");
        var far = found.SelectMany((mapping, i) => mapping.Losses.Select((loss, g) => Math.Abs((loss / losses[(i * points) + g]) - 1))).Order()
            .ToArray();
        Assert.That(far[far.Length / 2], Is.LessThan(0.01));
        Assert.That(far[far.Length * 95 / 100], Is.LessThan(0.05));
        var same = found.Zip(golden.Mappings).Count(pair => pair.First.Best == pair.Second.Best);
        Assert.That(same, Is.GreaterThanOrEqualTo(golden.Mappings.Length * 3 / 4));
    }

    private static CalibrationOutcome Run(AwqGolden golden, string? inputs, TemporaryFolder work)
    {
        using var source = Checkpoint.OpenHeaders(golden.Model);
        using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(Path.GetDirectoryName(golden.Folder)!, "calibration.json")));
        var settings = new CalibrationSettings
        {
            Samples = [.. json.RootElement.GetProperty("samples").EnumerateArray().Select(sample =>
                sample.EnumerateArray().Select(id => id.GetInt32()).ToArray())],
            Match = MatchVersion.Find(golden.Version),
            Routed = !golden.EveryToken,
            Precision = golden.IsFloat32 ? Precision.Float32 : Precision.BFloat16,
            MoeInput = inputs,
        };
        return Calibrating.Run(source, Path.Combine(work.Path, "out"), Recipe(golden), settings);
    }

    private static Recipe Recipe(AwqGolden golden)
    {
        var scheme = new WeightScheme(ScaleStrategy.Group, IsFloat: false, Bits: 4, GroupSize: 32);
        string[] inputs = golden.Router ? ["re:.*gate$", "re:.*w1$", "re:.*w3$"] : ["re:.*w1$", "re:.*w3$"];
        return new([new("experts", [@"re:.*experts\.\d+\.(w1|w2|w3)$"], scheme)], ["lm_head"],
            new([new("re:.*post_attention_layernorm$", inputs), new("re:.*w3$", ["re:.*w2$"])], DuoScaling.Yes,
                golden.Values("losses")!.Length / golden.Mappings.Length));
    }

    // What enters the experts, as far as any run knows.
    private static string Inputs(AwqGolden golden, TemporaryFolder work)
    {
        var path = Path.Combine(work.Path, "inputs.safetensors");
        var tensors = new List<TensorToWrite>();
        for (var layer = 0; golden.MoeInput(layer) is { } input; layer++)
        {
            var bytes = System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(input).ToArray();
            var tokens = golden.Lengths.Sum();
            tensors.Add(new($"layers.{layer}.moe_input", DType.F32, [tokens, input.Length / tokens], bytes));
        }
        SafeTensorsWriter.Write(path, tensors);
        return path;
    }

    private static string? Expected(AwqGolden golden) => new[] { "quantized/model.safetensors", "changed.safetensors" }
        .Select(name => Path.Combine(golden.Folder, name)).FirstOrDefault(File.Exists);

    private static byte[] Bytes(Checkpoint checkpoint, TensorEntry tensor)
    {
        var bytes = new byte[tensor.Length];
        checkpoint.Read(tensor, bytes);
        return bytes;
    }

    private static byte[] Bytes(SafeTensorsFile file, TensorEntry tensor)
    {
        var bytes = new byte[tensor.Length];
        file.Read(tensor, bytes, 0);
        return bytes;
    }
}
