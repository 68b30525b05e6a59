using System.Text.Json;
using Quilt.Formats.Checkpoints;
using Quilt.Kernels.Devices;
using Quilt.Quantizer.Awq;
using Quilt.Quantizer.Recipes;
using Quilt.Runtime;
using Quilt.Runtime.Execution;
using Quilt.Runtime.Models;

namespace Quilt.Tests.Quantizer.Awq;

/// <summary>How far a written checkpoint errs on texts that it was not calibrated on, layer by layer, from the official layer's own input.</summary>
[Category("Conformance")]
public sealed class FreshTextTests
{
    // Against llm-compressor's results with their routers mended (errors.json beside the model: the last two numbers are of fresh texts).
    [Test]
    public void Errs_less_on_fresh_texts_too()
    {
        var folder = Shared.Path("golden", "awq");
        using var work = new TemporaryFolder();
        using var official = Checkpoint.Open(Path.Combine(folder, "model"));
        using var calibration = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "calibration.json")));
        int[][] samples = [.. calibration.RootElement.GetProperty("samples").EnumerateArray()
            .Select(sample => sample.EnumerateArray().Select(id => id.GetInt32()).ToArray())];
        Calibrating.Run(official, work.Below("out"), RecipePresets.Recipe("minimax-m2"), new CalibrationSettings { Samples = samples });
        using var written = Checkpoint.Open(work.Below("out"));

        var errors = Errors(official, written);
        using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "errors.json")));
        var theirs = json.RootElement.EnumerateObject().Where(entry => entry.Name.EndsWith("router repaired", StringComparison.Ordinal))
            .Select(entry => entry.Value.EnumerateArray().Select(value => value.GetDouble()).ToArray()).ToArray();
        for (var layer = 0; layer < errors.Length; layer++)
        {
            TestContext.Out.WriteLine(FormattableString.Invariant($"layer {layer}: {100 * errors[layer]:0.0} %"));
            Assert.That(errors[layer], Is.LessThan(0.85 * theirs.Min(row => row[errors.Length + layer])), $"layer {layer}");
        }
    }

    private static double[] Errors(Checkpoint official, Checkpoint written)
    {
        using var device = new CpuDevice();
        var spec = Architectures.Describe(official.Config);
        var options = new EngineOptions();
        var random = new Random(11);
        int[][] texts = [.. Enumerable.Range(0, 12).Select(_ => Enumerable.Range(0, 64).Select(_ => random.Next(spec.VocabularySize)).ToArray())];
        using var streams = new PromptStreams(spec, device, options, texts);
        var (parts, other) = (new CheckpointParts(official, device, null, default), new CheckpointParts(written, device, null, default));
        using (var embedding = parts.Weight([new DecoderModules(spec).Embedding])) streams.Embed(embedding);
        return [.. Enumerable.Range(0, spec.Layers).Select(Error)];

        double Error(int index)
        {
            using var layer = DecoderWeights.LoadLayer(spec, parts, index);
            using var small = DecoderWeights.LoadLayer(spec, other, index);
            var before = streams.Rows.Values.ToArray();
            streams.ForwardWithoutExperts(layer, new float[before.Length]);
            var middle = streams.Rows.Values.ToArray();
            before.CopyTo(streams.Rows.Values);
            streams.Forward(small, index);
            var found = streams.Rows.Values.ToArray();
            before.CopyTo(streams.Rows.Values);
            streams.Forward(layer, index);
            var wanted = streams.Rows.Values;
            double error = 0, size = 0;
            for (var i = 0; i < found.Length; i++)
            {
                error += Math.Pow(found[i] - wanted[i], 2);
                size += Math.Pow(wanted[i] - middle[i], 2);
            }
            return Math.Sqrt(error / size);
        }
    }
}
