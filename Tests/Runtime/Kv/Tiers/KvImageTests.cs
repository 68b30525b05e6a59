using CsCheck;
using Quilt.Kernels.Ops;
using Quilt.Runtime;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Kv.Tiers;
using Quilt.Runtime.Models;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Runtime.Kv.Tiers;

/// <summary>Images of blocks, and what tells one model's from another's.</summary>
public sealed class KvImageTests
{
    [Test]
    public void An_image_carries_a_block_and_nothing_else([Values] KvType type, [Values(16, 24)] int blockTokens)
    {
        using var folder = new TinyFolder();
        using var model = LoadedModel.Open(folder.Path, new EngineOptions { Threads = 1, KvMemory = 1 << 20 }, null, default);
        var layout = new KvLayout(5, blockTokens, type);
        using var from = new KvStore(model.Decoder.Spec, layout, model.Device, model.Decoder.Weights);
        using var to = new KvStore(model.Decoder.Spec, layout, model.Device, model.Decoder.Weights);
        var layers = model.Decoder.Spec.Layers;
        var (source, target) = (new KvImage(from, layers), new KvImage(to, layers));
        var (image, back, nothing) = (new byte[source.Bytes], new byte[source.Bytes], new byte[source.Bytes]);
        new Random(5).NextBytes(image);
        source.Write(3, image);
        source.Read(3, back);
        Assert.That(back, Is.EqualTo(image));
        target.Write(1, image);
        target.Read(1, back);
        Assert.That(back, Is.EqualTo(image));
        Assert.That(source.Bytes * 5L, Is.EqualTo(Enumerable.Range(0, layers).Sum(i => from[i].Bytes)), "blocks are all that a store has");
        foreach (var other in (int[])[0, 2, 3, 4])
        {
            target.Read(other, back);
            Assert.That(back, Is.EqualTo(nothing), $"block {other}");
        }
        Assert.That(() => source.Read(5, image), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => source.Write(-1, image), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => source.Read(0, image.AsSpan(1)), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void Any_other_byte_of_a_small_models_files_gives_another_digest()
    {
        using var folder = new TinyFolder();
        var config = Path.Combine(folder.Path, "config.json");
        string[] weights = [.. Directory.GetFiles(folder.Path, "*.safetensors")];
        var digest = ModelDigest.Of(config, weights);
        Assert.That(ModelDigest.Of(config, [.. weights.Reverse()]), Is.EqualTo(digest), "their order does not count");
        foreach (var path in (string[])[config, .. weights])
        {
            var whole = File.ReadAllBytes(path);
            Gen.Select(Gen.Int[0, whole.Length - 1], Gen.Int[1, 255]).Sample((at, change) =>
            {
                var other = (byte[])whole.Clone();
                other[at] ^= (byte)change;
                File.WriteAllBytes(path, other);
                Assert.That(ModelDigest.Of(config, weights), Is.Not.EqualTo(digest));
            }, iter: 30, threads: 1);
            File.WriteAllBytes(path, whole);
        }
        File.SetLastWriteTimeUtc(weights[0], new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        Assert.That(ModelDigest.Of(config, weights), Is.EqualTo(digest), "times do not count");
    }

    [Test]
    public void A_large_files_header_size_and_samples_count()
    {
        using var folder = new TierFolder();
        var (config, path) = (Path.Combine(folder.Path, "config.json"), Path.Combine(folder.Path, "model.safetensors"));
        File.WriteAllText(config, "{}");
        var bytes = new byte[20 << 20];
        BitConverter.TryWriteBytes(bytes, 1000L);
        var digest = Of(bytes);
        Assert.That(Of(bytes), Is.EqualTo(digest));
        Assert.That(Of(bytes[..^1]), Is.Not.EqualTo(digest), "its size");
        foreach (var at in (int[])[8, 1007, 1008, 1008 + 4095, bytes.Length - 4096, bytes.Length - 1])
        {
            bytes[at] = 1;
            Assert.That(Of(bytes), Is.Not.EqualTo(digest), $"byte {at}");
            bytes[at] = 0;
        }
        // Weights that were trained on differ everywhere.
        for (var i = 2000; i < bytes.Length; i += 1000) bytes[i] = 1;
        Assert.That(Of(bytes), Is.Not.EqualTo(digest));

        byte[] Of(byte[] content)
        {
            File.WriteAllBytes(path, content);
            return ModelDigest.Of(config, [path]);
        }
    }
}
