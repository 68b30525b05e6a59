using Quilt.Formats.Checkpoints;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Runtime;
using Quilt.Runtime.Models;
using Quilt.Tests.Kernels;

namespace Quilt.Tests.Runtime.Models;

/// <summary>
/// A whole checkpoint with all products and attention on tensor cores, a prompt and then single tokens, held to the processor with the same
/// cache of bfloat16. The smallest with heads that those kernels take, and few tokens: the stand-in computes an mma instruction lane by lane.
/// </summary>
[TestFixtureSource(nameof(Fixtures))]
[Category("Gpu")]
public sealed class TensorModelTests(string? folder, Target target)
{
    public static IEnumerable<TestFixtureData> Fixtures() =>
        from folder in Shared.Folders("golden/checkpoints").Where(folder => folder is null || HasWideHeads(folder)).OrderBy(Bytes).Take(1)
        from target in Target.TensorCores
        select new TestFixtureData(folder, target).SetArgDisplayNames(Path.GetFileName(folder) ?? "none", target.ToString());

    [Test]
    public void Gives_the_processor_s_logits()
    {
        Shared.Require(folder);
        // 18 tokens at a time are a prompt to attention, the other two are as in decoding.
        int[] tokens = [.. Enumerable.Range(3, 20)];
        var options = new EngineOptions { Threads = 2, MaxBatchedTokens = 18, KvMemory = 64 << 20 };
        using var expected = LoadedModel.Open(folder!, options, null, default);
        using var model = LoadedModel.Open(folder!, options, null, default, on: target.Open());
        var (wanted, exact, found) = (Logits(expected, KvType.BFloat16), Logits(expected, KvType.Float32), Logits(model, KvType.BFloat16));
        // Sums in another order round some keys and values the other way. Those are few of all the roundings that such a cache makes, and so is what
        // they do.
        Assert.That(Worst(found, wanted), Is.LessThanOrEqualTo(Worst(exact, wanted) / 4));

        static float Worst(float[] a, float[] b) => a.Zip(b, (x, y) => float.IsNaN(x) ? float.PositiveInfinity : Math.Abs(x - y)).Max();

        float[] Logits(LoadedModel model, KvType type)
        {
            return PromptRun.Trace(model, tokens, stepTokens: options.BatchedTokens, type: type).Logits;
        }
    }

    private static long Bytes(string? folder) =>
        folder is null ? 0 : new DirectoryInfo(folder).EnumerateFiles("model*.safetensors").Sum(file => file.Length);

    private static bool HasWideHeads(string folder) => GoldenFolder.Runs(folder)
        && Architectures.Describe(ModelConfig.Read(Path.Combine(folder, ModelConfig.FileName))).Attention.HeadDim is 64 or 128;
}
