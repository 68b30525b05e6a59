using Quilt.Cli;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Runtime;
using Quilt.Runtime.Models;
using Quilt.Tests.Kernels;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Runtime.Models;

/// <summary>A device with tensor cores says which weights it has to multiply without them, and whether attention uses them.</summary>
public sealed class PlainProductsTests
{
    // The output projections have 160 columns: a block of 128 and one of 32.
    [TestCase(1, "(fp8 128x128 [64, 160]) is multiplied without")]
    [TestCase(2, "(fp8 128x128 [64, 160]) and 1 more weight are multiplied without")]
    [TestCase(3, "(fp8 128x128 [64, 160]) and 2 more weights are multiplied without")]
    public void Names_the_first_of_them_and_counts_the_others(int layers, string words)
    {
        using var folder = new TinyFolder(layers: layers);
        Assert.That(Warnings(folder.Path, Target.TensorCores[0]),
            Has.One.Contains("model.layers.0.self_attn.o_proj " + words).And.Some.Contains("slower"));
    }

    [Test]
    public void Says_nothing_where_all_weights_suit() => Assert.That(Warnings(DemoModel.Folder, Target.TensorCores[0]), Is.Empty);

    [Test]
    public void Says_nothing_on_a_device_without_matrix_instructions()
    {
        using var folder = new TinyFolder();
        Assert.That(Warnings(folder.Path, Target.Gpus[0]), Has.None.Contains("slower"));
    }

    [TestCase(64, KvType.BFloat16, null)]
    [TestCase(128, KvType.BFloat16, null)]
    [TestCase(128, KvType.Float32, "keys and values in bfloat16 (--kv-cache-dtype, KvType), found float32")]
    [TestCase(64, KvType.Fp8, "keys and values in bfloat16 (--kv-cache-dtype, KvType), found fp8")]
    [TestCase(80, KvType.BFloat16, "heads of 64 or 128 values, found 80")]
    public void Says_why_attention_uses_none(int headDim, KvType cache, string? words)
    {
        using var folder = new TinyFolder();
        using var model = LoadedModel.Open(folder.Path, new EngineOptions { Threads = 2, KvMemory = 1 << 20 }, null, default);
        var spec = model.Decoder.Spec with { Attention = model.Decoder.Spec.Attention with { HeadDim = headDim } };
        Assert.That(PlainProducts.AttentionWarning((GpuDevice)Target.TensorCores[0].Open(), spec, cache),
            words is null ? Is.Null : Is.EqualTo("attention runs without tensor cores, which is slower: these take " + words));
        Assert.That(PlainProducts.AttentionWarning((GpuDevice)Target.Known.First(t => t.ToString() == GpuDevices.Emulated).Open(), spec,
            cache), Is.Null, "it has none");
    }

    private static IReadOnlyList<string> Warnings(string folder, Target target)
    {
        var device = (GpuDevice)target.Open();
        using var model = LoadedModel.Open(folder, new EngineOptions { Device = GpuDevices.Emulated, Threads = 2, KvMemory = 1 << 20 }, null, default,
            on: device);
        return model.Warnings;
    }
}
