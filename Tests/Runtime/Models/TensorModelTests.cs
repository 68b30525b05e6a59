using Quilt.Formats.Checkpoints;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Runtime;
using Quilt.Runtime.Models;
using Quilt.Tests.Kernels;

namespace Quilt.Tests.Runtime.Models;

/// <summary>
/// Whole checkpoints with all products and attention by matrix instructions, a prompt and then single tokens, held to the processor with the same cache of bfloat16. One
/// prompt of a few tokens each: the stand-in computes a matrix instruction lane by lane.
/// </summary>
[TestFixtureSource(nameof(Fixtures))]
[Category("Gpu")]
public sealed class TensorModelTests(string? folder, Target target)
{
    /// <summary>Sums in another order can round a key or a value the other way: 2^-9 of one number of a cache that has thousands.</summary>
    private const float Tolerance = 2e-3f;

    public static IEnumerable<TestFixtureData> Fixtures() =>
        from folder in Shared.Folders("golden/checkpoints").Where(folder => folder is null || HasWideHeads(folder))
        from target in Target.TensorCores
        select new TestFixtureData(folder, target).SetArgDisplayNames(Path.GetFileName(folder) ?? "none", target.ToString());

    [Test]
    public void Gives_the_processor_s_logits()
    {
        Shared.Require(folder);
        // 18 tokens at a time are a prompt to attention, the other two are as in decoding.
        int[] tokens = [.. Enumerable.Range(3, 20)];
        var options = new EngineOptions { Threads = 2, StepTokens = 18, KvMemory = 64 << 20 };
        using var expected = LoadedModel.Open(folder!, options, null, default);
        using var model = LoadedModel.Open(folder!, options, null, default, on: target.Open());
        var (wanted, found) = (Logits(expected), Logits(model));
        var worst = found.Zip(wanted, (a, b) => float.IsNaN(a) ? float.PositiveInfinity : Math.Abs(a - b)).Max();
        Assert.That(worst, Is.LessThanOrEqualTo(Tolerance));
        TestContext.Out.WriteLine($"largest difference {worst}");

        float[] Logits(LoadedModel model)
        {
            using var ops = new OpStream(model.Device);
            return PromptTracer.Run(model.Decoder, tokens, layers: false, options, KvType.BFloat16, model.Device, ops).Logits;
        }
    }

    private static bool HasWideHeads(string folder) => GoldenFolder.Runs(folder)
        && Architectures.Describe(ModelConfig.Read(Path.Combine(folder, ModelConfig.FileName)), folder).Attention.HeadDim is 64 or 128;
}
