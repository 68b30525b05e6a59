using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Quantizer.Awq;
using Quilt.Quantizer.Awq.Match;
using Quilt.Quantizer.Recipes;
using Quilt.Quantizer.Verifying;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Quantizer.Awq;

/// <summary>Quantizing with data, layer by layer, on a small model of this repository's own.</summary>
public sealed class CalibratingTests
{
    private TinyFolder tiny = null!;
    private TemporaryFolder work = null!;

    [SetUp]
    public void Make() => (tiny, work) = (new TinyFolder(), new TemporaryFolder());

    [TearDown]
    public void Remove()
    {
        tiny.Dispose();
        work.Dispose();
    }

    [Test]
    public void Errs_less_than_plain_rounding_and_passes_every_check()
    {
        var outcome = Run("out", Settings());
        Assert.That(outcome.Layers, Has.Count.EqualTo(TinyMiniMax.Layers));
        foreach (var layer in outcome.Layers)
        {
            Assert.That(layer.Error!.After, Is.LessThan(layer.Error.Before), $"layer {layer.Layer}");
            Assert.That(layer.Router!.Overlap, Is.EqualTo(1), $"layer {layer.Layer}");
            Assert.That(layer.Experts.Sum(expert => expert.Tokens), Is.EqualTo(Samples().Sum(sample => sample.Length) * layer.Experts.Count / 2));
        }
        var checks = Verifier.Run(work.Below("out"), tiny.Path);
        Assert.That(checks.Where(check => check.Status == CheckStatus.Fail).Select(check => check.Detail), Is.Empty);
    }

    // Routers make up for the norm in float32, whatever the source has.
    [Test]
    public void Writes_routers_that_make_up_for_the_norm()
    {
        Run("out", Settings());
        using var before = Checkpoint.Open(tiny.Path);
        using var after = Checkpoint.Open(work.Below("out"));
        for (var layer = 0; layer < TinyMiniMax.Layers; layer++)
        {
            var norm = $"model.layers.{layer}.post_attention_layernorm.weight";
            var (official, written) = (before.Vector(norm, TinyMiniMax.Hidden), after.Vector(norm, TinyMiniMax.Hidden));
            var router = $"model.layers.{layer}.block_sparse_moe.gate";
            var gate = before.Module(router, TinyMiniMax.Experts, TinyMiniMax.Hidden).Dequantize();
            var found = after.Module(router, TinyMiniMax.Experts, TinyMiniMax.Hidden);
            Assert.That(found.Scheme, Is.EqualTo("f32"));
            var values = found.Dequantize();
            for (var i = 0; i < gate.Length; i++)
            {
                var c = i % TinyMiniMax.Hidden;
                Assert.That(values[i] * written[c], Is.EqualTo(gate[i] * official[c]).Within(1e-5 * Math.Abs(gate[i] * official[c]) + 1e-12));
            }
        }
    }

    [Test]
    public void Goes_on_where_it_was_stopped_to_the_same_bytes([Values(null, "0.9.0.4", "0.14.0.1")] string? match)
    {
        var settings = Settings() with { Match = match is null ? null : MatchVersion.Find(match) };
        var reports = 0;
        Run("whole", settings, new Progress(_ => reports++));
        for (var stop = 1; stop <= reports; stop++)
        {
            using var cancel = new CancellationTokenSource();
            var heard = 0;
            Assert.That(() => Run("out", settings, new Progress(_ =>
            {
                if (++heard == stop) cancel.Cancel();
            }), cancel.Token), Throws.InstanceOf<OperationCanceledException>(), $"stopped at {stop}");
            Assert.That(Directory.Exists(work.Below("out")), Is.False);
            Run("out", settings);
            Assert.That(Content("out"), Is.EqualTo(Content("whole")), $"stopped at {stop}");
            Directory.Delete(work.Below("out"), recursive: true);
        }
    }

    [Test]
    public void Takes_more_samples_than_fit_in_batches()
    {
        var samples = Samples();
        using var source = Checkpoint.OpenHeaders(tiny.Path);
        var plan = CalibrationPlan.Create(source, Recipe(), Settings());
        var longest = samples.Max(sample => sample.Length);
        var tight = Settings() with { Memory = plan.Memory.Fixed + (plan.Memory.PerToken * longest) };
        Assert.That(CalibrationPlan.Create(source, Recipe(), tight).Batches.All, Has.Count.GreaterThan(2));
        foreach (var layer in Run("out", tight).Layers) Assert.That(layer.Error!.After, Is.LessThan(layer.Error.Before));

        // The next layer's inputs do not depend on how the samples are cut: what is written of a run whose first batch is the same is the same.
        Assert.That(() => CalibrationPlan.Create(source, Recipe(), tight with { Memory = plan.Memory.Fixed }),
            Throws.TypeOf<BadInputException>().With.Message.Contains("--memory"));
    }

    [Test]
    public void Refuses_to_go_on_with_other_samples()
    {
        using var cancel = new CancellationTokenSource();
        Assert.That(() => Run("out", Settings(), new Progress(_ => cancel.Cancel()), cancel.Token), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(() => Run("out", Settings() with { Samples = [[1, 2, 3]] }),
            Throws.TypeOf<BadInputException>().With.Message.Contains("calibration"));
    }

    [TestCase("samples[1]", "token ids from 0")]
    [TestCase("samples[0]", "1 to 256 tokens")]
    public void Refuses_samples_that_are_none(string part, string words)
    {
        int[][] samples = part == "samples[1]" ? [[1, 2], [3, 5000]] : [[], [1]];
        Assert.That(() => Run("out", Settings() with { Samples = samples }),
            Throws.TypeOf<BadInputException>().With.Message.Contains(part).And.Message.Contains(words));
        Assert.That(work.Names, Is.Empty);
    }

    [TestCase("re:.*input_layernorm$", "re:.*q_proj$", "input_layernorm")]
    [TestCase("re:.*w1$", "re:.*w2$", "w1")]
    [TestCase("re:.*post_attention_layernorm$", "re:.*w1$", "gate and up")]
    [TestCase("re:.*no_such$", "re:.*w2$", "no_such")]
    public void Refuses_mappings_that_it_does_not_understand(string smooth, string balance, string words)
    {
        var recipe = Recipe() with { Smoothing = new([new(smooth, [balance])]) };
        using var source = Checkpoint.OpenHeaders(tiny.Path);
        Assert.That(() => Calibrating.Run(source, work.Below("out"), recipe, Settings()),
            Throws.TypeOf<BadInputException>().With.Message.Contains(words));
        Assert.That(work.Names, Is.Empty);
    }

    [Test]
    public void Refuses_experts_that_are_stored_in_two_ways()
    {
        var recipe = Recipe() with
        {
            Groups = [new("some", [@"re:.*block_sparse_moe\.experts\.0\.w1$"], new(ScaleStrategy.Channel, false, 8)), .. Recipe().Groups],
        };
        using var source = Checkpoint.OpenHeaders(tiny.Path);
        Assert.That(() => Calibrating.Run(source, work.Below("out"), recipe, Settings()),
            Throws.TypeOf<BadInputException>().With.Message.Contains("one config group"));
    }

    private CalibrationOutcome Run(string name, CalibrationSettings settings, IProgress<LayerProgress>? progress = null,
        CancellationToken cancel = default)
    {
        using var source = Checkpoint.OpenHeaders(tiny.Path);
        return Calibrating.Run(source, work.Below(name), Recipe(), settings, null, progress, cancel);
    }

    private static Recipe Recipe() => RecipePresets.Recipe("minimax-m2");

    private static CalibrationSettings Settings() => new() { Samples = Samples(), Threads = 2 };

    private static int[][] Samples()
    {
        var random = new Random(7);
        return [.. Enumerable.Range(0, 8).Select(_ => Enumerable.Range(0, random.Next(20, 60)).Select(_ => random.Next(2, 300)).ToArray())];
    }

    private (string, string)[] Content(string name) =>
    [
        .. Directory.EnumerateFiles(work.Below(name)).Order(StringComparer.Ordinal)
            .Select(path => (Path.GetFileName(path), Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(path))))),
    ];

    private sealed class Progress(Action<LayerProgress> heard) : IProgress<LayerProgress>
    {
        public void Report(LayerProgress value) => heard(value);
    }
}
