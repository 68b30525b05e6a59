using System.Text.Json;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Tensors;
using Quilt.Kernels.Devices;
using Quilt.Quantizer.Awq;
using Quilt.Quantizer.Awq.Match;
using Quilt.Quantizer.Awq.Refined;
using Quilt.Quantizer.Recipes;
using Quilt.Runtime.Models;

namespace Quilt.Tests.Quantizer.Awq;

/// <summary>Quilt's own search on the inputs of the runs of llm-compressor.</summary>
[Category("Conformance")]
public sealed class RefinedSearchTests
{
    // By the errors of llm-compressor's own results with their routers mended (errors.json): two layers' inputs of calibration, then of other texts.
    [TestCaseSource(typeof(AwqGolden), nameof(AwqGolden.All))]
    public void Errs_less_than_what_it_is_made_to_match(string? folder)
    {
        using var golden = new AwqGolden(Shared.Require(folder));
        using var checkpoint = Checkpoint.Open(golden.Model);
        using var device = new CpuDevice();
        var spec = Architectures.Describe(checkpoint.Config);
        var scheme = new WeightScheme(ScaleStrategy.Group, IsFloat: false, Bits: 4, GroupSize: 32);
        var theirs = Mended(golden);
        if (golden.MoeInput(0) is null) Assert.Ignore("The run keeps no input of its layers.");
        for (var layer = 0; layer < spec.Layers; layer++)
        {
            var modules = new DecoderModules(spec).Layer(layer).Experts!;
            if (golden.MoeInput(layer) is not { } input) continue;
            using var search = new RefinedSearch(device, scheme, DType.BF16, spec.Hidden, modules.Spec.Hidden);
            using var plan = MatchedRouter.Run(device, Values(modules.Router), null, modules.Spec.Routing, Precision.Float32, input, spec.Hidden);
            var under = new LayerInput(input, plan, (e, _) => new(Values(modules.Gate(e)), Values(modules.Up(e)), Values(modules.Down(e))));
            var norm = search.SearchNorm(under, [.. Enumerable.Range(0, modules.Spec.Experts)], default);
            var errors = new BlockErrors(plan.Tokens, plan.Tokens, spec.Hidden);
            for (var e = 0; e < modules.Spec.Experts; e++)
            {
                var matrices = under.Take(e, -1);
                search.Set(matrices);
                search.SearchExpert(under, e, matrices, norm.Scales, smooth: true, errors);
            }
            Assert.That(errors.After, Is.LessThan(0.85 * theirs[layer]), $"layer {layer}");
            Assert.That(errors.After, Is.LessThan(0.5 * errors.Before), $"layer {layer}");
        }

        float[] Values(ModuleShape shape) => checkpoint.Module(shape.Name, shape.Rows, shape.Columns).Dequantize();
    }

    // The least of what the releases have, a layer.
    private static double[] Mended(AwqGolden golden)
    {
        using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(Path.GetDirectoryName(golden.Folder)!, "errors.json")));
        var rows = json.RootElement.EnumerateObject().Where(entry => entry.Name.EndsWith("router repaired", StringComparison.Ordinal))
            .Select(entry => entry.Value.EnumerateArray().Select(value => value.GetDouble()).ToArray()).ToArray();
        return [.. Enumerable.Range(0, rows[0].Length).Select(i => rows.Min(row => row[i]))];
    }
}
