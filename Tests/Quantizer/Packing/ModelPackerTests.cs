using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Tensors;
using Quilt.Kernels.Devices;
using Quilt.Quantizer.Packing;
using Quilt.Runtime;
using Quilt.Runtime.Models;
using Quilt.Tests.Kernels;
using Quilt.Tests.Runtime.Models;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Quantizer.Packing;

/// <summary>A packed model is the model that was packed: the same bits, in less time and memory.</summary>
[NonParallelizable]
public sealed class ModelPackerTests
{
    private static readonly int[] Prompt = [5, 6, 7, 8, 9, 10, 11, 12];

    /// <summary>Small models in every way of storing weights and of every architecture.</summary>
    public static IEnumerable<TestCaseData> Folders() =>
        from kind in (string[])["golden/formats", "golden/architectures", "golden/checkpoints"]
        from folder in Shared.Folders(kind)
        where folder is null || Runs(folder)
        select new TestCaseData(folder).SetArgDisplayNames(folder is null ? $"{kind}: none" : Path.GetFileName(folder));

    [TestCaseSource(nameof(Folders))]
    [Category("Conformance")]
    public void Gives_the_logits_of_what_was_packed_to_the_bit(string? folder)
    {
        Shared.Require(folder);
        using var work = new TemporaryFolder();
        ModelPacker.Run(folder!, work.Below("packed"));

        AssertSame(folder!, work.Below("packed"));
    }

    [Test]
    public void Gives_them_of_FP8_attention_and_INT4_experts()
    {
        using var work = new PackedTiny();

        AssertSame(work.Source, work.Packed);
        Assert.That(PackedFiles.Check(work.Packed, default).Select(file => file.Problem), Is.All.Null);
    }

    [Test]
    public void Gives_them_on_a_GPU()
    {
        using var work = new PackedTiny();
        var device = Target.Gpus[0].Open();
        var options = new EngineOptions { Device = Target.Gpus[0].ToString(), Threads = 2, KvMemory = 1 << 20 };
        using var source = LoadedModel.Open(work.Source, options, null, default, on: device);
        using var packed = LoadedModel.Open(work.Packed, options, null, default, on: device);

        Assert.That(PromptRun.Trace(packed, Prompt).Logits, Is.EqualTo(PromptRun.Trace(source, Prompt).Logits));
    }

    [Test]
    public void Takes_no_memory_for_weights_and_can_be_open_twice()
    {
        using var work = new PackedTiny();
        using var source = Open(work.Source);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var before = NativeBuffer.Held;
        using var one = Open(work.Packed);
        Assert.That(NativeBuffer.Held - before, Is.LessThan(one.Decoder.Weights.Bytes / 10), "only norms are copied");
        Assert.That(one.Decoder.Weights.Bytes, Is.EqualTo(source.Decoder.Weights.Bytes));

        var expected = PromptRun.Trace(source, Prompt).Logits;
        using (var other = Open(work.Packed)) Assert.That(PromptRun.Trace(other, Prompt).Logits, Is.EqualTo(expected));
        Assert.That(PromptRun.Trace(one, Prompt).Logits, Is.EqualTo(expected), "when the other is closed");
    }

    [Test]
    public void Weights_of_a_packed_model_may_be_larger_than_memory()
    {
        using var work = new PackedTiny();
        using var packed = Open(work.Packed);
        using var source = Open(work.Source);
        var room = new MemoryRoom("cpu", 1 << 20, packed.Memory.Total - 1, 0, 0.75);

        Assert.That(packed.Memory.AreMapped, Is.True);
        Assert.That(() => (packed.Memory with { CacheTokens = 0 }).Require(room), Throws.Nothing);
        Assert.That(() => (source.Memory with { CacheTokens = 0 }).Require(room with { Total = source.Memory.Weights }),
            Throws.TypeOf<NotSupportedException>());
    }

    [Test]
    public void Weights_begin_at_cache_lines()
    {
        using var work = new PackedTiny();
        using var checkpoint = Checkpoint.Open(work.Packed);
        var tiles = checkpoint.Tensors.Where(tensor => tensor.Tiles is { Experts: 0 }).ToList();

        Assert.That(tiles, Is.Not.Empty);
        Assert.That(tiles.Select(tensor => tensor.Offset % 64), Is.All.Zero);
    }

    [Test]
    public void Copies_what_a_folder_has_beside_weights()
    {
        using var work = new TemporaryFolder();
        TinyMiniMax.Write(work.Below("model"), tokenizer: true);
        ModelPacker.Run(work.Below("model"), work.Below("packed"));

        foreach (var file in Directory.GetFiles(work.Below("model")).Where(file => !file.Contains(".safetensors")))
            Assert.That(File.ReadAllBytes(Path.Combine(work.Below("packed"), Path.GetFileName(file))), Is.EqualTo(File.ReadAllBytes(file)), file);
    }

    [Test]
    public void A_place_that_is_taken_is_refused_and_untouched()
    {
        using var work = new TemporaryFolder();
        TinyMiniMax.Write(work.Below("model"));
        Directory.CreateDirectory(work.Below("packed"));
        File.WriteAllText(Path.Combine(work.Below("packed"), "mine"), "");

        Assert.That(() => ModelPacker.Run(work.Below("model"), work.Below("packed")),
            Throws.TypeOf<BadInputException>().With.Message.Contains("expected a new or empty folder"));
        Assert.That(Directory.GetFileSystemEntries(work.Below("packed")), Has.Length.EqualTo(1));
    }

    [Test]
    public void A_cancelled_packing_leaves_nothing()
    {
        using var work = new TemporaryFolder();
        TinyMiniMax.Write(work.Below("model"));
        using var cancel = new CancellationTokenSource();
        var progress = new CancelAt(5, cancel);

        Assert.That(() => ModelPacker.Run(work.Below("model"), work.Below("packed"), progress, cancel.Token),
            Throws.InstanceOf<OperationCanceledException>());
        Assert.That(Directory.GetFileSystemEntries(work.Path).Select(Path.GetFileName), Is.EqualTo(new[] { "model" }));
    }

    [Test]
    public void A_packed_model_is_not_packed_again_and_not_quantized()
    {
        using var work = new PackedTiny();

        Assert.That(() => ModelPacker.Run(work.Packed, work.Source + "-again"),
            Throws.TypeOf<BadInputException>().With.Message.Contains("expected a model that is not packed"));
        using var checkpoint = Checkpoint.Open(work.Packed);
        var module = checkpoint.Module("model.embed_tokens", 300, TinyMiniMax.Hidden);
        Assert.That(module.Dequantize, Throws.TypeOf<BadInputException>().With.Message.Contains("take the folder it was packed from"));
    }

    private static bool Runs(string folder)
    {
        try
        {
            using var checkpoint = Checkpoint.OpenHeaders(folder);
            var spec = Architectures.Describe(checkpoint.Config);
            using var device = new CpuDevice(threads: 1);
            return DecoderWeights.SizesOf(spec, new CheckpointParts(checkpoint, device, null, default)).Sum() > 0;
        }
        catch (BadInputException)
        {
            return false;
        }
    }

    private static LoadedModel Open(string folder) => LoadedModel.Open(folder, new EngineOptions { Threads = 2, KvMemory = 1 << 20 }, null, default);

    private static void AssertSame(string source, string packed)
    {
        using var one = Open(source);
        using var other = Open(packed);
        var (expected, found) = (PromptRun.Trace(one, Prompt, layers: true), PromptRun.Trace(other, Prompt, layers: true));
        Assert.That(found.Logits, Is.EqualTo(expected.Logits));
        Assert.That(found.LayerHidden, Is.EqualTo(expected.LayerHidden));
        Assert.That(other.Decoder.Weights.Bytes, Is.EqualTo(one.Decoder.Weights.Bytes));
    }

    /// <summary>Cancels at the n-th report.</summary>
    private sealed class CancelAt(int n, CancellationTokenSource cancel) : IProgress<LoadProgress>
    {
        private int reports;

        public void Report(LoadProgress value)
        {
            if (++reports == n) cancel.Cancel();
        }
    }
}
