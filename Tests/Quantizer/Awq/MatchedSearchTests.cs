using Quilt.Formats.Checkpoints;
using Quilt.Kernels.Devices;
using Quilt.Quantizer.Awq;
using Quilt.Quantizer.Awq.Match;
using Quilt.Quantizer.Recipes;
using Quilt.Runtime.Models;

namespace Quilt.Tests.Quantizer.Awq;

/// <summary>The grid search against what releases of llm-compressor found from the same inputs.</summary>
[Category("Conformance")]
public sealed class MatchedSearchTests
{
    private const double Tie = 2e-3;

    [TestCaseSource(typeof(AwqGolden), nameof(AwqGolden.All))]
    public void Finds_what_the_release_found(string? folder)
    {
        using var golden = new AwqGolden(Shared.Require(folder));
        using var checkpoint = Checkpoint.Open(golden.Model);
        using var device = new CpuDevice();
        var spec = Architectures.Describe(checkpoint.Config);
        var precision = golden.IsFloat32 ? Precision.Float32 : Precision.BFloat16;
        var version = MatchVersion.Find(golden.Version)!;
        var smoothing = new Smoothing([], DuoScaling.Yes, golden.Values("losses")!.Length / golden.Mappings.Length);
        var scheme = new WeightScheme(ScaleStrategy.Group, IsFloat: false, Bits: 4, GroupSize: 32);
        var search = new MatchedSearch(version, precision, smoothing, scheme, golden.EveryToken);
        int[] starts = [0, .. golden.Lengths];
        for (var i = 1; i < starts.Length; i++) starts[i] += starts[i - 1];

        var at = 0;
        for (var layer = 0; layer < spec.Layers; layer++)
        {
            var modules = new DecoderModules(spec).Layer(layer).Experts!;
            if (golden.MoeInput(layer) is not { } input)
            {
                at += modules.Spec.Experts + 1;
                continue;
            }
            using var plan = MatchedRouter.Run(device, Values(modules.Router), null, modules.Spec.Routing, precision, input, spec.Hidden);
            var under = new LayerUnderSearch($"model.layers.{layer}", modules.Spec.Names, input, starts, plan,
                e => new(Values(modules.Gate(e)), Values(modules.Up(e)), Values(modules.Down(e))));
            var found = search.Run(under, new(Norm: true, golden.Router, golden.Router, Up: true), default);
            foreach (var result in found) Compare(golden, at++, result, precision);
        }
        Assert.That(at, Is.EqualTo(golden.Mappings.Length));

        float[] Values(ModuleShape shape) => checkpoint.Module(shape.Name, shape.Rows, shape.Columns).Dequantize();
    }

    private static void Compare(AwqGolden golden, int i, SmoothingResult found, Precision precision)
    {
        var wanted = golden.Mappings[i];
        var name = $"{i:00} {wanted.Smooth}";
        Assert.That(found.Smooth, Is.EqualTo(wanted.Smooth));
        Assert.That(found.Tokens, Is.EqualTo(wanted.Tokens), name);
        Near(found.InputMeans, golden.Values($"{i:00}.x_mean")!, found.InputPrecision == Precision.BFloat16 ? 0 : 1e-6, $"{name} x_mean");
        Near(found.WeightMeans, golden.Values($"{i:00}.w_mean")!, 1e-12, $"{name} w_mean");
        var points = found.Losses.Length;
        Near(found.Losses, golden.Values("losses")![(i * points)..((i + 1) * points)], precision == Precision.BFloat16 ? 5e-3 : 1e-5,
            $"{name} losses");
        if (found.Best != wanted.Best && wanted.Margin < Tie) return;
        Assert.That(found.Best, Is.EqualTo(wanted.Best), name);
        Assert.That(found.Ratio, Is.EqualTo(wanted.Ratio), name);
        // A power of float32 numbers is one of float32, whose last bit differs between libraries.
        Near(found.Scales, golden.Values($"{i:00}.s")!, found.InputPrecision == Precision.BFloat16 ? 1e-9 : 1e-6, $"{name} s");
    }

    private static void Near<T>(T[] found, double[] wanted, double tolerance, string what) where T : System.Numerics.INumber<T>
    {
        Assert.That(found, Has.Length.EqualTo(wanted.Length), what);
        for (var c = 0; c < found.Length; c++)
        {
            var value = double.CreateChecked(found[c]);
            Assert.That(Math.Abs(value - wanted[c]), Is.LessThanOrEqualTo(tolerance * Math.Abs(wanted[c])), $"{what}[{c}]: {value} for {wanted[c]}");
        }
    }
}
